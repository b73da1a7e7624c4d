"""What faults cost against the twin: each figure on runs in which it is known."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from twin_runs import DURATION, FAULT, RATE, TOOK, healthy, measured, scenario

from reports.resilience import resilience


def _pressed_in_the_fault(arrived: float) -> bool:
    return FAULT[0] <= arrived + 1.0 < FAULT[1]


def test_a_run_like_its_twin_lost_nothing(tmp_path: Path) -> None:
    found = measured(tmp_path, healthy)
    (fault,) = found.faults
    assert (found.lost_bindings, found.lost_at_most, found.bindings) == (0, 0, RATE * DURATION)
    assert (found.fates.lost, found.fates.gained, found.fates.came_back) == (0, 0, 0)
    assert (fault.time_to_detect, fault.detected_by) == (None, "")
    assert (fault.time_from_end, fault.time_to_drain, fault.backlog_peak) == (0.0, 0.0, 0)
    assert found.amplification == {"bank": 1.0}


def test_half_lost_half_late(tmp_path: Path) -> None:
    """Of 100 customers of the outage, 50 give up and 50 are bound 20 s later; each calls thrice."""

    def fate(arrived: float) -> tuple[float, int]:
        if not _pressed_in_the_fault(arrived):
            return healthy(arrived)
        return (math.inf if round(arrived * RATE) % 2 else TOOK + 20.0), 3

    found = measured(tmp_path, fate)
    (fault,) = found.faults
    assert (found.fates.lost, found.fates.came_back, found.lost_bindings) == (50, 50, 50)
    assert found.fates.later_p50 == found.fates.later_max == pytest.approx(20.0)
    assert found.lost_at_most == fault.lost_at_most == 100
    assert fault.lost_at_most_at == pytest.approx(FAULT[1] + TOOK - 1.0, abs=0.11)
    assert fault.detected_by == "success"
    assert fault.time_to_detect is not None
    assert 0 < fault.time_to_detect <= 5.0
    # The last window that is short is the one in which bindings of the outage were due.
    assert fault.time_from_end is not None
    assert 1.0 <= fault.time_from_end <= 1.0 + fault.window
    assert fault.time_from_start == pytest.approx(10.0 + fault.time_from_end)
    # All 50 late customers are inside 20 s after the outage; the last leaves 21 s after it.
    assert fault.backlog_peak == pytest.approx(75, abs=30)
    assert fault.time_to_drain is not None
    assert 15.0 <= fault.time_to_drain <= 21.0 + fault.window
    assert found.amplification["bank"] == pytest.approx(3.0, abs=0.8)


def test_a_collapse_is_neither_recovered_nor_drained(tmp_path: Path) -> None:
    def fate(arrived: float) -> tuple[float, int]:
        return (math.inf, 4) if arrived + 1.0 >= FAULT[0] else healthy(arrived)

    found = measured(tmp_path, fate)
    (fault,) = found.faults
    assert (fault.recovered_at, fault.time_from_end, fault.time_from_start) == (None, None, None)
    assert fault.amplification["bank"] == pytest.approx(4.0)
    assert found.lost_bindings == found.fates.lost == RATE * (DURATION - FAULT[0] + 1.0)


def test_a_surge_does_not_pay_for_the_gap_before_it(tmp_path: Path) -> None:
    """All customers of 40 to 60 s are bound at 62 s at once: together the windows are full."""

    def fate(arrived: float) -> tuple[float, int]:
        held = FAULT[0] <= arrived < 60.0
        return (62.0 - arrived, 1) if held else healthy(arrived)

    (fault,) = measured(tmp_path, fate).faults
    assert fault.detected_by == "throughput"
    assert fault.recovered_at is not None
    assert fault.recovered_at >= 60.0


def test_slow_answers_are_no_good_answers(tmp_path: Path) -> None:
    """A run whose requests all succeed is breached when they take more than a second."""
    from reports import events
    from reports.recorder import Recorder

    measured(tmp_path, healthy)
    with Recorder(tmp_path / "slow") as recorder:
        for n in range(int(RATE * DURATION)):
            at = n / RATE
            took = 3.0 if FAULT[0] <= at < FAULT[1] else 0.2
            recorder.add(events.request(n, "confirm", 1, at, at, at + took, 200, "OK"))
    found = resilience(tmp_path / "slow", scenario())
    assert found is not None
    assert found.faults[0].detected_by == "success"
    assert found.faults[0].time_to_detect == pytest.approx(2.0)


def test_a_fault_counts_until_the_next_one(tmp_path: Path) -> None:
    def fate(arrived: float) -> tuple[float, int]:
        return (math.inf, 1) if 80.0 <= arrived < 90.0 else healthy(arrived)

    faults = [
        {"kind": "outage", "target": "bank", "name": "first", "start": 40, "duration": 5},
        {"kind": "outage", "target": "bank", "name": "second", "start": 80, "duration": 10},
    ]
    first, second = measured(tmp_path, fate, faults=faults).faults
    assert (first.until, second.until) == (80.0, 180.0)
    assert (first.lost_at_most, second.lost_at_most) == (0, 100)
    assert first.time_to_detect is None
    assert second.time_to_detect is not None


def test_a_fault_that_lasts_has_no_end_to_count_from(tmp_path: Path) -> None:
    faults = [{"kind": "outage", "target": "bank", "start": 40}]
    (fault,) = measured(tmp_path, healthy, faults=faults).faults
    assert (fault.end, fault.recovered_at, fault.time_to_drain) == (None, None, None)


def test_no_twin_no_figures(tmp_path: Path) -> None:
    (tmp_path / "sim").mkdir()
    assert resilience(tmp_path / "sim", scenario()) is None
    measured(tmp_path, healthy)
    assert resilience(tmp_path / "sim", scenario(faults=[])) is None
