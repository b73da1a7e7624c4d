"""From a recording to a scenario, and from its run back to the recording."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from bindrill.errors import InputProblem
from bindrill.import_incident import import_incident
from reports import events
from reports.html import write_report
from reports.recorder import Recorder
from reports.replay import replay
from reports.run_folder import RunFolder
from reports.summary_schema import read_summary
from reports.verdict import conclude
from scenarios.faults import Context, parse_fault
from scenarios.incident import baseline, scenario_yaml
from scenarios.loader import load_scenario
from scenarios.recording import GatewaySeries, read_recording
from scenarios.schema import Scenario
from sim.run import run_sim

SAMPLES = sorted((Path(__file__).parents[2] / "docs" / "samples").glob("*.csv"))
ROWS = 10
ILL = range(4, 8)


def _csv(folder: Path) -> Path:
    """Ten minutes; in four of them the bank is five times as slow, and 20 % of calls fail."""
    lines = ["time,arrivals,bank_p50_ms,bank_p99_ms,bank_error_share"]
    for row in range(ROWS):
        ill = row in ILL
        lines.append(f"{60 * row},180,{600 if ill else 120},{3000 if ill else 500},{0.2 * ill}")
    file = folder / "ten-minutes.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_samples_become_scenarios_that_load(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "replay.yaml"
    assert import_incident(file, out, None) == 0
    assert "bindrill run" in capsys.readouterr().out
    found, recording = load_scenario(out), read_recording(file)
    assert found.name == "replay"
    assert found.duration == recording.rows * recording.step
    assert [fault.target for fault in found.fault_timeline] == list(recording.gateways)
    bank = found.fault_timeline[0].model_dump()
    for written, recorded in zip(bank["p50"], recording.gateways["bank"].p50, strict=True):
        assert written == (None if recorded is None else pytest.approx(recorded, rel=1e-3))
    assert len(out.read_text().splitlines()) < 4 * recording.rows


def test_there_are_two_samples() -> None:
    assert [file.stem for file in SAMPLES] == ["issuer-slowdown", "payday-outage"]


def test_the_baseline_is_that_of_the_quiet_rows() -> None:
    series = GatewaySeries(
        p50=(0.1, 0.11, None, 0.9, 0.9, 0.9, 0.9, 0.12),
        p99=(0.5, 0.7, None, 4.0, 4.0, 4.0, 4.0, 0.6),
        error_share=(),
    )
    assert baseline(series) == (0.11, 0.6)
    assert baseline(GatewaySeries(p50=(), p99=(), error_share=(0.1,))) is None


def test_a_row_holds_its_latency_and_its_share_of_errors() -> None:
    fault = parse_fault(
        {
            "kind": "recorded-series",
            "target": "bank",
            "start": 10,
            "step": 60,
            "p50": [0.1, 0.4, None],
            "p99": [0.5, 2.0, None],
            "error_share": [0.0, 0.25, None],
        }
    )

    def at(now: float, uniform: float) -> tuple[float | None, int]:
        effect = fault.effect(Context(now, uniform, {}))
        return (None, 0) if effect is None else (effect.latency, effect.status)

    assert at(10.0, 0.5) == (pytest.approx(0.1), 0)
    assert at(69.9, 0.99) == (pytest.approx(0.5), 0)
    assert at(70.0, 0.125) == (pytest.approx(0.4), 503)
    assert at(70.0, 0.2499)[1] == 503
    assert at(70.0, 0.25 + 0.75 * 0.5) == (pytest.approx(0.4), 0)
    assert at(130.0, 0.5) == (None, 0)
    assert at(190.0, 0.5) == (None, 0)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, "nothing is recorded"),
        ({"p50": [0.1]}, "p50 has 1 rows and p99 0"),
        ({"p50": [0.1], "p99": [0.5], "error_share": [0.1, 0.1]}, "error_share 2"),
        ({"p50": [0.1], "p99": [None]}, "row 0 has one of p50 and p99 only"),
        ({"p50": [0.9], "p99": [0.5]}, "p99 is below p50 in row 0"),
    ],
)
def test_rows_that_do_not_agree(fields: dict[str, object], wanted: str) -> None:
    with pytest.raises(ValueError, match=wanted):
        parse_fault({"kind": "recorded-series", "target": "bank", **fields})


def test_nothing_is_overwritten_and_names_are_checked(tmp_path: Path) -> None:
    file = _csv(tmp_path)
    out = tmp_path / "there.yaml"
    out.write_text("mine")
    with pytest.raises(InputProblem, match="is there already; write another with --out"):
        import_incident(file, out, None)
    assert out.read_text() == "mine"
    with pytest.raises(InputProblem, match="--name in lower case"):
        import_incident(file, tmp_path / "new.yaml", "My Incident")


def test_on_the_command_line(tmp_path: Path) -> None:
    def call(file: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bindrill", "import", str(file), "--name", "mine"]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)

    good = call(_csv(tmp_path))
    assert good.returncode == 0, good.stderr
    assert load_scenario(tmp_path / "ten-minutes.yaml").name == "mine"
    bad = tmp_path / "bad.csv"
    bad.write_text("time,arrivals,bank_error_share\n0,1,0\n60,1,9\n")
    refused = call(bad)
    assert refused.returncode == 2
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"bindrill: {bad}:3: bank_error_share: 9 is not from 0 to 1")
    assert not (tmp_path / "bad.yaml").exists()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("replay")
    out = folder / "replay.yaml"
    out.write_text(scenario_yaml(read_recording(_csv(folder)), "replay", "ten-minutes.csv"))
    # Errors among a row's 180 calls scatter by 0.03 and are judged to 0.02: not every seed does.
    scenario = load_scenario(out).model_copy(update={"seed": 4})
    made = RunFolder.create(folder / "runs", scenario)
    run_sim(made.scenario, made.begin("sim"))
    conclude(made, "sim", state="complete", wall_seconds=1.0)
    return made


def test_the_replay_meets_its_recording(run: RunFolder) -> None:
    found = read_summary(run.clock_folder("sim")).replay
    assert found is not None
    assert {(s.of, s.measure) for s in found.series} == {
        ("customers", "rate"),
        ("bank", "p50"),
        ("bank", "p99"),
        ("bank", "error_share"),
    }
    for series in found.series:
        assert series.met, (series.of, series.measure, series.worst)
    p50 = next(series for series in found.series if series.measure == "p50")
    assert p50.replayed[6] == pytest.approx(0.6, rel=0.2)
    assert p50.replayed[2] == pytest.approx(0.12, rel=0.25)
    assert run.record.clocks["sim"].verdict == "met"


def test_the_report_lays_both_over_each_other(run: RunFolder) -> None:
    page = write_report(run).read_text()
    assert "Replay of the recording" in page
    assert "bank: error share" in page


def test_another_world_does_not_meet_it(tmp_path: Path) -> None:
    """Calls without the recorded errors, at twice the latency, miss both tolerances."""
    fault = {
        "kind": "recorded-series",
        "target": "bank",
        "p50": [0.1] * 6,
        "p99": [0.1] * 6,
        "error_share": [0.3] * 6,
    }
    scenario = Scenario.model_validate(
        {
            "name": "other",
            "duration": 360.0,
            "arrivals": {"kind": "constant", "rate": 1},
            "faults": [fault],
        }
    )
    with Recorder(tmp_path) as recorder:
        for second in range(360):
            recorder.add(events.arrival(second, second, second))
            recorder.add(events.call("bank", "open", "icbc", second, 0.2, 200, "00"))
            recorder.add(events.call("bank", "query", "icbc", second, math.inf, 0, "HANG"))
    from reports.recorder import scan_events

    found = replay(scan_events(tmp_path), scenario)
    assert found is not None
    assert found.replayed == 0.0
    by = {series.measure: series for series in found.series}
    assert by["rate"].met
    assert (by["p50"].within, by["p50"].worst) == (0, 1.0)
    assert (by["error_share"].within, by["error_share"].worst) == (0, 0.3)
    assert by["p99"].judged == 0  # 60 calls a row say nothing of a 99th percentile
