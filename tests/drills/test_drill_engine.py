"""The steps' order and times, on a clock that a test moves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from loadtests.drill.clock import Stopped
from loadtests.drill.done import Done
from loadtests.drill.engine import play
from loadtests.drill.steps import EXECUTORS
from loadtests.drill.steps.people import decide, detect
from loadtests.process import StackProblem
from scenarios.drill import Drill
from scenarios.drill_steps import STEP_KINDS
from scenarios.drill_steps.decide import Decide
from scenarios.drill_steps.detect import Detect
from scenarios.keyed import Keyed


class FakeClock:
    origin = 1000.0

    def __init__(self) -> None:
        self.time = 0.0

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.time += max(0.0, seconds)

    def until(self, met, timeout, every=0.05):
        end = self.time + timeout
        while not met():
            if self.time >= end:
                return False
            self.sleep(every)
        return True


class FakeLog:
    def __init__(self) -> None:
        self.lines = []

    def begin(self, step, now, origin):
        self.lines.append([step.do, now, None, ""])

    def end(self, now, done):
        self.lines[-1][2:] = [now, done.detail]

    def broken(self, why):
        self.lines[-1][3] = why


def steps(*records):
    return Drill.model_validate({"steps": list(records)}).steps


STEPS = steps(
    {"do": "kill", "target": "primary", "at": 20.0},
    {"do": "detect"},
    {"do": "restore", "at": 25.0},
    {"do": "reconcile"},
)


def played(takes):
    clock, log = FakeClock(), FakeLog()

    def carry_out(step):
        if isinstance(takes[step.do], Exception):
            raise takes[step.do]
        clock.sleep(takes[step.do])
        return Done(f"{step.do} done")

    return log, lambda: play(STEPS, carry_out, clock, log)


def test_each_step_begins_at_its_time_or_after_the_one_before():
    log, go = played({"kill": 0.5, "detect": 2.0, "restore": 3.0, "reconcile": 1.0})
    go()
    assert log.lines == [
        ["kill", 20.0, 20.5, "kill done"],
        ["detect", 20.5, 22.5, "detect done"],
        ["restore", 25.0, 28.0, "restore done"],
        ["reconcile", 28.0, 29.0, "reconcile done"],
    ]


def test_a_step_whose_time_has_passed_begins_at_once_and_says_so():
    log, go = played({"kill": 0.5, "detect": 9.5, "restore": 3.0, "reconcile": 1.0})
    go()
    assert log.lines[2][:3] == ["restore", 30.0, 33.0]
    assert "5.0 s after its time" in log.lines[2][3]


def test_a_step_that_fails_ends_the_drill_and_is_named():
    log, go = played({"kill": 0.5, "detect": StackProblem("no alarm")})
    with pytest.raises(StackProblem, match="step detect: no alarm"):
        go()
    assert log.lines[-1] == ["detect", 20.5, None, "no alarm"]


def test_an_interrupted_step_stays_without_an_end():
    log, go = played({"kill": 0.5, "detect": Stopped()})
    with pytest.raises(Stopped):
        go()
    assert log.lines[-1] == ["detect", 20.5, None, "interrupted"]


def test_every_step_can_be_carried_out():
    assert set(EXECUTORS) == set(STEP_KINDS)


def ground(seed=1, alarm_at=3.0):
    clock = FakeClock()
    drill = Drill.model_validate(
        {
            "decision": {"p50": 2.0, "p99": 6.0},
            "steps": [{"do": "kill", "target": "lender", "at": 1.0}],
        }
    )

    class Prober:
        def alarm(self, since):
            return clock.time >= max(alarm_at, since)

    result = SimpleNamespace(timeline=(SimpleNamespace(do="decide"),))
    return SimpleNamespace(
        clock=clock,
        drill=drill,
        prober=Prober(),
        random=Keyed(seed),
        struck_at=1.0,
        log=SimpleNamespace(result=result),
    )


def test_detection_ends_with_the_alarm():
    there = ground()
    detect(Detect(do="detect"), there)
    assert there.clock.time == pytest.approx(3.0, abs=0.06)


def test_an_undetected_fault_ends_the_drill():
    with pytest.raises(StackProblem, match="no alarm in 2 s"):
        detect(Detect(do="detect", timeout=2.0), ground())


def test_staff_need_as_long_with_the_same_seed_and_not_with_another():
    def seconds(seed):
        there = ground(seed)
        decide(Decide(do="decide"), there)
        return there.clock.time

    assert seconds(1) == seconds(1)
    assert len({seconds(seed) for seed in range(20)}) == 20
    assert sorted(seconds(seed) for seed in range(201))[100] == pytest.approx(2.0, rel=0.3)
