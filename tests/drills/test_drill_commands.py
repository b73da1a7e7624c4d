"""`bindrill drill` on the command line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time

import pytest
from quick_drills import quick

from loadtests.postgres import installation
from reports.drills.result import load_result
from scenarios.drill_library import drill_names
from scenarios.loader import dump


def test_without_a_name_all_are_listed(bindrill):
    lines = bindrill("drill").out.splitlines()
    assert [line.split("\t")[0] for line in lines] == drill_names()
    assert all(line.split("\t")[1] for line in lines)
    assert set(lines) <= set(bindrill("list").out.splitlines())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("drill", "async-failovr"), "did you mean async-failover"),
        (("drill", "nothing.yaml"), "there is no such scenario or file"),
        (("run", "async-failover"), "carry it out with: bindrill drill async-failover"),
        (("drill", "backup-restore", "--lang", "fr"), "--lang fr: write one of en, zh"),
        (("drill", "backup-restore", "--duration", "soon"), "--duration"),
        (("drill", "--every", "90d"), "--every belongs to --calendar"),
        (("drill", "backup-restore", "--calendar"), "leave out its name"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(bindrill, tmp_path, arguments, words):
    outcome = bindrill(*arguments, "--out", tmp_path / "runs")
    assert outcome.code == 2
    (line,) = outcome.err.splitlines()
    assert words in line
    assert not (tmp_path / "runs").exists()


def test_a_scenario_that_is_no_drill_and_a_drill_that_is_run_are_refused(bindrill, tmp_path):
    drill = tmp_path / "mine.yaml"
    scenario = quick([{"do": "kill", "target": "primary", "at": 2.0}])
    drill.write_text(dump(scenario), encoding="utf-8")
    outcome = bindrill("run", drill, "--sim", "--out", tmp_path / "runs")
    assert (outcome.code, "bindrill drill" in outcome.err) == (2, True)
    plain = tmp_path / "plain.yaml"
    plain.write_text("name: p\nduration: 5s\narrivals: {kind: poisson, rate: 1/s}\n")
    outcome = bindrill("drill", plain)
    assert (outcome.code, "drill: is missing" in outcome.err) == (2, True)


def test_without_postgresql_one_line_names_the_command_that_installs_it(
    bindrill, tmp_path, monkeypatch
):
    monkeypatch.setattr(installation, "_installed", lambda: iter(()))
    installation.find_installation.cache_clear()
    try:
        outcome = bindrill("drill", "async-failover", "--out", tmp_path / "runs")
    finally:
        monkeypatch.undo()
        installation.find_installation.cache_clear()
    assert outcome.code == 2
    (line,) = outcome.err.splitlines()
    assert "PostgreSQL" in line
    assert installation.INSTALL in line
    assert not (tmp_path / "runs").exists()


@pytest.mark.live
@pytest.mark.usefixtures("nothing_stays")
def test_interrupted_drill_exits_130_with_its_evidence(bindrill, tmp_path):
    file = tmp_path / "mine.yaml"
    steps = [{"do": "kill", "target": "primary", "at": 1.0}, {"do": "detect"}, {"do": "decide"}]
    file.write_text(dump(quick(steps, decision={"p50": 60.0, "p99": 60.0})), encoding="utf-8")
    runs = tmp_path / "runs"

    def interrupt():
        while not any('"decide"' in found.read_text() for found in runs.glob("*/drill.json")):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    outcome = bindrill("drill", file, "--out", runs, "--json", "--no-pdf")
    assert outcome.code == 130
    (run,) = runs.iterdir()
    told = json.loads(outcome.out)
    assert (told["run"], told["state"]) == (str(run), "interrupted")
    assert [entry["do"] for entry in told["timeline"]] == ["kill", "detect", "decide"]
    assert told["timeline"][-1]["ended"] is None
    assert load_result(run).state == "interrupted"
    assert (run / "evidence" / "report.en.html").is_file()
    assert json.loads((run / "run.json").read_text())["clocks"]["live"]["state"] == "interrupted"
    shutil.rmtree(run)
