"""Open arrivals: nobody waits for anybody."""

from __future__ import annotations

import time

import gevent
from gevent.event import Event

from loadtests.clock import RunClock
from loadtests.crowd import Crowd
from scenarios.directives import Ending

ACTIVE = Ending("ACTIVE", "ok")


def crowd(arrivals, play, endings=None):
    seen = [] if endings is None else endings
    return Crowd(
        iter(arrivals), play, RunClock(time.time()), lambda state, seconds: seen.append(state)
    )


def test_arrivals_go_on_while_every_earlier_customer_is_stuck():
    stuck, began = Event(), []

    def play(number, planned):
        began.append(number)
        stuck.wait()
        return ACTIVE

    whole = crowd([(n, n / 1000) for n in range(100)], play)
    issuing = gevent.spawn(whole.issue)
    while len(began) < 100:
        gevent.sleep(0.001)
    assert whole.tally.arrivals == 100
    assert not whole.tally.over
    stuck.set()
    issuing.join()
    assert (whole.tally.ended, whole.tally.active, whole.tally.over) == (100, 100, True)


def test_nobody_is_early():
    early = []
    clock = RunClock(time.time())

    def play(number, planned):
        early.append(clock.now() < planned)
        return ACTIVE

    Crowd(iter([(0, 0.05), (1, 0.1)]), play, clock, lambda *_: None).issue()
    assert early == [False, False]


def test_endings_are_told_and_only_active_ones_count_as_active():
    endings: list[str] = []
    whole = crowd(
        [(0, 0.0), (1, 0.0)],
        lambda number, _: ACTIVE if number else Ending("REJECTED", "x"),
        endings,
    )
    whole.issue()
    assert sorted(endings) == ["ACTIVE", "REJECTED"]
    assert (whole.tally.ended, whole.tally.active) == (2, 1)


def test_broken_journey_harms_no_other_and_its_message_is_kept_back(caplog):
    def play(number, planned):
        if number == 0:
            raise OSError("13800000000")
        return ACTIVE

    whole = crowd([(0, 0.0), (1, 0.0)], play)
    whole.issue()
    assert (whole.tally.crashed, whole.tally.ended, whole.tally.over) == (1, 1, True)
    assert "OSError" in caplog.text
    assert "13800000000" not in caplog.text


def test_stopped_journeys_do_not_count_as_ended():
    def play(number, planned):
        Event().wait()

    whole = crowd([(0, 0.0)], play)
    issuing = gevent.spawn(whole.issue)
    while not whole.tally.all_issued:
        gevent.sleep(0.001)
    whole.stop()
    issuing.join()
    assert (whole.tally.ended, whole.tally.crashed, whole.tally.over) == (0, 0, False)
