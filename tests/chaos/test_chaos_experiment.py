"""The sample experiment under `chaos run`, against a real stack."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadtests.admin import fetch
from loadtests.live_run import drive
from loadtests.stack import Stack
from scenarios.schema import Scenario

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        importlib.util.find_spec("chaostoolkit") is None,
        reason="Chaos Toolkit is not installed; pip install 'bindrill[chaos]'",
    ),
]

EXPERIMENT = Path(__file__).parents[2] / "docs" / "samples" / "bank-outage.chaos.json"
QUICK = {"p50": 0.01, "p99": 0.02}
# Nobody gives up, so that calls to the bank never cease while an experiment runs.
SCENARIO = Scenario.model_validate(
    {
        "name": "under-experiment",
        "seed": 5,
        "duration": 120.0,
        "arrivals": {"kind": "constant", "rate": 4.0},
        "population": {
            "typos": dict.fromkeys(("name", "id_number", "phone", "card_number", "otp"), 0.0),
            "returning": 0.0,
        },
        "journey": {"pace": 0.01, "patience": {"p50": 3000.0, "p99": 3000.0}, "otp_wait": 500.0},
        "world": {
            "bank": {"latency": {"open": QUICK, "query": QUICK}, "decline": {}},
            "sms": {"carrier": {"delay": QUICK, "loss": 0.0}},
        },
    }
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(SCENARIO, tmp_path_factory.mktemp("stack")) as stack:
        stack.start()
        yield stack


class Experiment:
    """`chaos run` in a process of its own, in `folder`."""

    def __init__(self, stack: Stack, folder: Path, **variables: str) -> None:
        self._journal = folder / "journal.json"
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "chaostoolkit", "--no-version-check", "--no-log-file"),
                *("run", "--journal-path", str(self._journal), str(EXPERIMENT)),
            ],
            cwd=folder,
            env={
                **os.environ,
                "HOME": str(folder),
                "BINDRILL_LENDER_URL": stack.urls["lender"],
                "BINDRILL_BANK_URL": stack.urls["bank"],
                "BINDRILL_WATCHED": "2",
                **variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def over(self) -> bool:
        return self._process.poll() is not None

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def result(self) -> tuple[int, dict[str, Any]]:
        """Exit code and journal."""
        said, _ = self._process.communicate(timeout=90)
        assert self._journal.is_file(), said
        return self._process.returncode, json.loads(self._journal.read_text())


def outputs(journal: dict[str, Any]) -> dict[str, Any]:
    return {run["activity"]["name"]: run["output"] for run in journal["run"]}


def test_the_sample_experiment_completes_under_load(stack: Stack, tmp_path: Path) -> None:
    started: list[Experiment] = []

    def follow(progress: Any) -> None:
        if not started and progress.active > 0:
            started.append(Experiment(stack, tmp_path, BINDRILL_OUTAGE="5s", BINDRILL_WAIT="4"))
        if started and started[0].over:
            raise KeyboardInterrupt  # as a user would end the load

    try:
        assert drive(stack, SCENARIO, tmp_path / "live", on_progress=follow) == "interrupted"
        code, journal = started[0].result()
    finally:
        for experiment in started:
            experiment.end()
    assert (code, journal["status"], journal["deviated"]) == (0, "completed", False)
    found = outputs(journal)
    assert found["bank-goes-down"] == ["chaos-outage"]
    assert found["outage-strikes"] is True
    assert found["bank-calls-that-fail"] > 0.5
    assert [run["output"] for run in journal["rollbacks"]] == [1]


def test_an_outage_that_outlasts_the_experiment_deviates_and_is_rolled_back(
    stack: Stack, tmp_path: Path
) -> None:
    experiment = Experiment(stack, tmp_path, BINDRILL_OUTAGE="1h", BINDRILL_WAIT="0.1")
    try:
        while not experiment.over:  # without a call, its probes would have nothing to look at
            fetch(f"{stack.urls['bank']}/v1/open", "POST", {})
            time.sleep(0.05)
        code, journal = experiment.result()
    finally:
        experiment.end()
    assert (code, journal["deviated"]) == (1, True)
    after = journal["steady_states"]["after"]
    assert after["steady_state_met"] is False
    assert after["probes"][-1]["activity"]["name"] == "outage-is-not-in-force"
    assert [run["output"] for run in journal["rollbacks"]] == [1]
