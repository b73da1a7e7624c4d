"""RTO and its parts, from customers' answers and the timeline."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.drills.fault import fault_entry
from reports.drills.phases import Answer, recovery
from reports.drills.result import PHASES, TimelineEntry


def entry(do, phase, began, ended, role="heals"):
    return TimelineEntry(do=do, target="", role=role, phase=phase, began=began, ended=ended, utc="")


KILL = entry("kill", "act", 20.0, 20.1, role="destroys")
STEPS = [
    KILL,
    entry("detect", "detect", 20.1, 21.5),
    entry("decide", "decide", 21.5, 23.0),
    entry("restore", "act", 23.0, 25.0),
]


def answers(until, *bad, step=0.25):
    """One answer every `step` seconds, bad within the intervals."""
    moments = [n * step for n in range(int(until / step))]
    return [
        Answer(at, at + 0.05, not any(start <= at < end for start, end in bad)) for at in moments
    ]


def measured(given, timeline=STEPS, fault_at=20.0, share=0.95, stable_for=3.0):
    found = recovery(given, timeline, fault_at, share=share, stable_for=stable_for)
    return found.back_at, {each.phase: each.seconds for each in found.phases}


def test_parts_add_up_to_the_time_until_service_is_back():
    back_at, parts = measured(answers(60, (20, 26.5)))
    assert back_at == 27.0
    assert parts == {"detect": 1.5, "decide": 1.5, "act": 2.0, "warm_up": 1.55, "back": 0.45}
    assert math.isclose(sum(parts.values()), 7.0)


def test_a_good_second_is_not_yet_stable_service():
    assert measured(answers(60, (20, 26), (27, 28)))[0] == 28.0
    assert measured(answers(60, (20, 26), (27, 28)), stable_for=1.0)[0] == 26.0


def test_service_that_was_never_away_is_back_at_once():
    back_at, parts = measured(answers(60), timeline=[KILL])
    assert back_at == 20.0
    assert set(parts.values()) == {0.0}
    assert tuple(parts) == PHASES


def test_service_that_does_not_come_back_has_no_parts():
    assert measured(answers(60, (20, 59))) == (None, {})
    # Two seconds are left: nobody knows whether they are the beginning of three.
    assert measured(answers(60, (20, 58)))[0] is None


def test_service_is_not_back_before_the_alarm():
    slow = [KILL, entry("detect", "detect", 20.1, 30.0)]
    assert measured(answers(60, (20, 22), (29, 31)), timeline=slow)[0] == 31.0


def test_books_that_are_compared_later_are_no_part_of_it():
    with_books = [*STEPS, entry("reconcile", "act", 25.0, 26.9)]
    assert measured(answers(60, (20, 26.5)), with_books) == measured(answers(60, (20, 26.5)))


def test_seconds_without_requests_neither_help_nor_harm():
    quiet = [a for a in answers(60, (20, 26)) if not 26 <= a.started < 27]
    assert measured(quiet)[0] == 26.0
    silent = [a for a in answers(60, (20, 26)) if a.started < 26]
    assert measured(silent)[0] is None


@given(
    st.lists(st.tuples(st.floats(0, 60), st.booleans()), max_size=80),
    st.floats(0.5, 1.0),
    st.floats(0.5, 5.0),
)
def test_parts_are_never_negative_and_always_add_up(given, share, stable_for):
    found = recovery(
        [Answer(at, at + 0.1, good) for at, good in given],
        STEPS,
        20.0,
        share=share,
        stable_for=stable_for,
    )
    if found.back_at is not None:
        assert all(each.seconds >= 0 for each in found.phases)
        total = sum(each.seconds for each in found.phases)
        assert total == pytest.approx(found.back_at - 20.0, abs=0.01)


def test_the_fault_is_the_first_step_that_customers_feel():
    lag = entry("lag-replication", "act", 8.0, 8.1, role="destroys")
    cut = entry("cut-replication", "act", 9.0, 9.1, role="destroys")
    timeline = [lag, cut, *STEPS, entry("revive-primary", "act", 40.0, 41.0, role="destroys")]
    assert fault_entry(timeline, synchronous=False) is KILL
    assert fault_entry(timeline, synchronous=True) is cut
    assert fault_entry(timeline, synchronous=False, last=True) is KILL
    assert fault_entry([lag], synchronous=False) is None
