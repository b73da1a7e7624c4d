"""A run that came to its end and tested nothing has failed."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_runs import make_run, rows, scenario

from reports.events import arrival
from reports.recorder import Recorder
from reports.run_folder import RunFolder
from reports.strikes import Strikes, write_strikes
from reports.verdict import conclude, outcomes_of, summary_of, verdict_lines, verdict_of
from scenarios.schema import Scenario


def played(
    base: Path, struck: Strikes | None, *, planned: int | None = None, of: Scenario | None = None
) -> RunFolder:
    """A run whose faults struck so often, of 1,500 customers."""
    run = RunFolder.create(base, of or scenario())
    folder = run.begin("sim", planned=planned)
    with Recorder(folder) as recorder:
        for row in rows(0.0):
            recorder.add(row)
    if struck is not None:
        write_strikes(struck, folder)
    conclude(run, "sim", state="complete", wall_seconds=1.0)
    return run


def why(run: RunFolder) -> str:
    record = run.record.clocks["sim"]
    return record.note if record.state == record.verdict == "failed" else ""


def test_fewer_customers_than_planned(tmp_path: Path) -> None:
    struck = {"outage-bank": 9}
    short = played(tmp_path, struck, planned=1501)
    assert why(short) == "only 1,500 of the 1,501 planned customers were issued"
    assert verdict_of(short) == "failed"
    assert "failed: only 1,500" in verdict_lines(short)[0]
    assert not why(played(tmp_path, struck, planned=1500))


def test_nobody_came(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, scenario())
    run.begin("sim", planned=6)
    conclude(run, "sim", state="complete", wall_seconds=1.0)
    assert why(run) == "none of the 6 planned customers were issued"


@pytest.mark.parametrize("state", ["interrupted", "failed"])
def test_other_ends_keep_their_own_reason(tmp_path: Path, state: str) -> None:
    run = RunFolder.create(tmp_path, scenario())
    run.begin("sim", planned=6)
    conclude(run, "sim", state=state, wall_seconds=1.0, note="its own")
    assert (run.record.clocks["sim"].verdict, run.record.clocks["sim"].note) == (state, "its own")


def test_a_fault_that_struck_nothing(tmp_path: Path) -> None:
    run = played(tmp_path, {"outage-bank": 0})
    assert why(run) == (
        "fault outage-bank (from 20s to 35s) struck nothing, for nothing that came then was its to"
        " strike; widen its share, ops, issuer, carrier or duration"
    )
    recovery = next(o for o in outcomes_of(run, "sim", summary_of(run, "sim")) if "time" in o.text)
    assert (recovery.value, recovery.holds) == (None, False)


def test_a_fault_in_a_window_without_customers(tmp_path: Path) -> None:
    late = {"kind": "outage", "target": "bank", "start": 80, "duration": 5}
    run = played(tmp_path, {"outage-bank": 0}, of=scenario(faults=[late], objectives=[]))
    assert "nobody asked for anything that needs bank then; move its start" in why(run)


def test_what_nobody_counted_is_not_judged(tmp_path: Path) -> None:
    assert not why(played(tmp_path, None))
    assert not why(make_run(tmp_path, ("sim",)))


def test_a_share_of_nothing_is_meant_to_strike_nothing(tmp_path: Path) -> None:
    never = {"kind": "latency", "delay": 1, "target": "bank", "share": 0}
    assert not why(played(tmp_path, {"latency-bank": 0}, of=scenario(faults=[never])))


def test_one_of_several_targets_is_enough(tmp_path: Path) -> None:
    both = {"kind": "latency", "delay": 1, "targets": ["bank", "sms"]}
    of = scenario(faults=[both], objectives=[])
    labels = ("latency-bank-sms-bank", "latency-bank-sms-sms")
    assert not why(played(tmp_path, dict(zip(labels, (0, 3), strict=True)), of=of))
    assert why(played(tmp_path, dict.fromkeys(labels, 0), of=of))


def test_calls_that_nobody_saw_are_no_low_number_of_calls(tmp_path: Path) -> None:
    of = scenario(objectives=["calls_per_binding(payment) < 9"], faults=[])
    run = RunFolder.create(tmp_path, of)
    with Recorder(run.begin("sim")) as recorder:
        for row in rows(0.0):
            if row[0] != "call":
                recorder.add(row)
    conclude(run, "sim", state="complete", wall_seconds=1.0)
    assert verdict_of(run) == "missed"


def test_nobody_came_to_an_end(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, scenario())
    with Recorder(run.begin("sim", planned=2)) as recorder:
        for number in range(2):
            recorder.add(arrival(number, 0.5, 0.5))
    conclude(run, "sim", state="complete", wall_seconds=1.0)
    assert why(run).startswith("none of the 2 customers had ended when the time was up")
