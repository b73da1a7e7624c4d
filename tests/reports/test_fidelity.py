from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from fake_runs import make_run

from reports.explained import UNEXPLAINED
from reports.fidelity import (
    FidelityRow,
    Pair,
    fidelity_page,
    fidelity_row,
    fidelity_table,
)
from reports.join import Agreement, join_clocks
from reports.verdict import summary_of

GOOD = Pair(predicted=1.0, measured=1.0, unit="s")


def row(**changes: Any) -> FidelityRow:
    fields: dict[str, Any] = {
        "scenario": "calm",
        "variant": "",
        "measured": "here, today",
        "customers": 1200,
        "agreement": 0.99,
        "throughput": Pair(predicted=5.5, measured=5.0, unit="/s"),
        "success": Pair(predicted=0.9, measured=0.9, unit="share"),
        "binding": GOOD,
        "confirm": GOOD,
        "recovery": None,
    }
    return FidelityRow(**(fields | changes))


def cells(made: FidelityRow, notes: dict[str, str] | None = None) -> list[str]:
    line = fidelity_table([made], notes or {}).splitlines()[-1]
    return [cell.strip() for cell in line.strip("|").split(" | ")]


@pytest.mark.parametrize(
    ("predicted", "measured", "off"),
    [
        (1.19, 1.0, False),
        (0.81, 1.0, False),
        (1.21, 1.0, True),
        (0.79, 1.0, True),
        (None, 1.0, True),
        (1.0, None, True),
        (None, None, False),
        (1.0, 0.0, True),
        (0.0, 0.0, False),
    ],
)
def test_a_figure_is_off_beyond_a_fifth_or_in_one_clock_alone(predicted, measured, off) -> None:
    assert Pair(predicted=predicted, measured=measured, unit="s").off is off


def test_a_difference_within_the_resolution_is_none() -> None:
    assert not Pair(predicted=0.0, measured=2.0, unit="s", resolution=2.0).off
    assert Pair(predicted=0.0, measured=2.1, unit="s", resolution=2.0).off


def test_a_row_that_is_right_shows_prediction_measurement_and_error() -> None:
    assert cells(row(), {"calm": "not needed any more"}) == [
        "calm",
        "1,200",
        "99 %",
        "5.5/s / 5/s (+10.0 %)",
        "90 % / 90 % (+0.0 %)",
        "1 s / 1 s (+0.0 %)",
        "1 s / 1 s (+0.0 %)",
        "–",
        "",
    ]


def test_what_is_off_stands_bold_with_its_explanation() -> None:
    slow = row(variant="good", confirm=Pair(predicted=1.0, measured=2.0, unit="s"))
    found = cells(slow, {"calm": "the disk\nis shared | busy"})
    assert found[0] == "calm (good)"
    assert found[6] == "**1 s / 2 s (-50.0 %)**"
    assert found[8] == "the disk is shared \\| busy"
    assert cells(slow)[8] == UNEXPLAINED


def test_customers_who_end_differently_are_off_too() -> None:
    assert cells(row(agreement=0.79))[2] == "**79 %**"
    assert cells(row(agreement=None))[8] == UNEXPLAINED


def test_the_page_counts_what_is_off() -> None:
    bad = row(success=Pair(predicted=0.5, measured=0.9, unit="share"))
    page = fidelity_page([row(), row(measured="there"), bad], {})
    assert "1 of 3 scenarios are off" in page
    assert "Measured on here, today; there.\n" in page
    assert "All 1 scenarios are within 20%" in fidelity_page([row()], {})


def test_a_row_is_made_of_both_clocks(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    sim, live = summary_of(run, "sim"), summary_of(run, "live")
    made = fidelity_row("fake", "", sim, live, join_clocks(run), measured="here")
    assert made.customers > 1000
    assert made.throughput.predicted == sim.throughput
    assert made.confirm.measured == live.steps["confirm"].latency.p95
    assert made.recovery is not None
    assert made.recovery.predicted == 0.0
    assert made.recovery.measured is not None
    assert made.recovery.measured > 0


def test_a_clock_that_did_not_recover_says_so(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    sim, live = summary_of(run, "sim"), summary_of(run, "live")
    lasting = [msgspec.structs.replace(fault, time_to_recover=None) for fault in live.faults]
    nobody = Agreement(joined=0, agreeing=0, share=None, sim_only=0, live_only=0, disagreements=())
    stuck = msgspec.structs.replace(live, faults=tuple(lasting))
    made = fidelity_row("fake", "", sim, stuck, nobody, measured="here")
    assert cells(made)[7] == "**0 s / not recovered**"
    endless = [msgspec.structs.replace(fault, end=None) for fault in live.faults]
    without = msgspec.structs.replace(live, faults=tuple(endless))
    made = fidelity_row("fake", "", without, without, nobody, measured="here")
    assert made.recovery is None
