"""The twin in virtual time: the same run until the first fault, and found by the summary."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from reports.html import write_report
from reports.money import Money, read_money
from reports.recorder import scan_events
from reports.run_folder import RunFolder, RunProblem
from reports.summary_schema import read_summary
from reports.verdict import conclude
from scenarios.schema import Scenario
from sim.run import run_sim
from sim.twin import run_twin, without_faults

FAULT = 15.0
OUTAGE = {"kind": "outage", "target": "bank", "start": FAULT, "duration": 5}


def scenario(**changes: object) -> Scenario:
    fields: dict[str, object] = {
        "name": "small",
        "duration": 40.0,
        "drain": 60.0,
        "arrivals": {"kind": "poisson", "rate": 5},
        "journey": {"pace": 0.03},
        "world": {"sms": {"limits": {"minute": 9, "hour": 90, "day": 90}}},
        "faults": [OUTAGE],
    }
    return Scenario.model_validate(fields | changes)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    made = RunFolder.create(tmp_path_factory.mktemp("runs"), scenario())
    folder = made.begin("sim")
    assert run_twin(made.scenario, folder) is not None
    run_sim(made.scenario, folder)
    conclude(made, "sim", state="complete", wall_seconds=1.0)
    return made


def test_the_twin_is_the_same_run_until_the_fault(run: RunFolder) -> None:
    def before(folder: Path) -> pl.DataFrame:
        rows = scan_events(folder).filter(pl.col("ended") < FAULT).collect()
        return rows.sort(rows.columns)

    assert before(run.path / "sim").equals(before(run.path / "twin"))


def test_nothing_broke_in_the_twin(run: RunFolder) -> None:
    for folder, broken in (("sim", True), ("twin", False)):
        calls = scan_events(run.path / folder).filter(pl.col("kind") == "call")
        assert bool(calls.filter(pl.col("status") == 503).collect().height) is broken


def test_the_summary_and_the_report_tell_what_the_fault_cost(run: RunFolder) -> None:
    found = read_summary(run.clock_folder("sim")).resilience
    assert found is not None
    assert found.faults[0].detected_by == "success"
    assert found.lost_at_most > 10
    assert found.fates.lost + found.fates.unfinished - found.fates.gained == found.lost_bindings
    assert found.amplification["bank"] > 1.1
    assert found.money_stuck_fen == 0
    page = re.sub(r"\s+", " ", write_report(run).read_text())
    assert "What the faults cost" in page
    assert "customers inside" in page


def test_the_summary_is_the_same_every_time(run: RunFolder) -> None:
    file = run.clock_folder("sim") / "summary.json"
    before = file.read_bytes()
    conclude(run, "sim", state="complete", wall_seconds=1.0)
    assert file.read_bytes() == before


def test_a_scenario_without_faults_is_its_own_twin(tmp_path: Path) -> None:
    assert run_twin(without_faults(scenario()), tmp_path / "sim") is None
    assert not (tmp_path / "twin").exists()


def test_money_of_a_live_run_is_in_its_settlement_file(tmp_path: Path) -> None:
    assert read_money(tmp_path) is None
    lines = (
        "order_no,trade_no,kind,amount_fen,state,time",
        "a-charge,1,charge,1,SUCCESS,3",
        "b-charge,2,charge,1,SUCCESS,4",
        "a-refund,3,refund,1,SUCCESS,5",
        "TOTAL,,charge 2 refund 1,1,,",
    )
    (tmp_path / "settlement.csv").write_text("\n".join(lines) + "\n")
    money = read_money(tmp_path)
    assert money == Money(charged_fen=2, refunded_fen=1)
    assert money is not None
    assert money.stuck_fen == 1
    (tmp_path / "money.json").write_text("{")
    with pytest.raises(RunProblem):
        read_money(tmp_path)
