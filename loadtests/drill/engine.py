"""Steps of a drill, one after the other, each at its time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from loadtests.drill.clock import Stopped
from loadtests.drill.done import Done
from loadtests.process import StackProblem
from scenarios.drill_steps import DrillStep

LATE = 1.0
"""Seconds behind its time from which on a step says so."""


class Clock(Protocol):
    """Seconds since the run began."""

    @property
    def origin(self) -> float:
        """When it began, in seconds since the epoch."""

    def now(self) -> float:
        """Seconds since then."""

    def sleep(self, seconds: float) -> None:
        """Wait. Raises Stopped."""


class Log(Protocol):
    """Where the timeline goes."""

    def begin(self, step: DrillStep, now: float, origin: float) -> None:
        """A step begins."""

    def end(self, now: float, done: Done) -> None:
        """It has ended."""

    def broken(self, why: str) -> None:
        """It did not end."""


def play(
    steps: Sequence[DrillStep], carry_out: Callable[[DrillStep], Done], clock: Clock, log: Log
) -> None:
    """Carry out every step: at its time, or when the one before has ended, whichever is later.

    Raises Stopped when the drill is interrupted, and StackProblem, with the step's name, when a
    step cannot be carried out.
    """
    for step in steps:
        late = 0.0
        if step.at is not None:
            clock.sleep(step.at - clock.now())
            late = clock.now() - step.at
        log.begin(step, clock.now(), clock.origin)
        try:
            done = carry_out(step)
        except Stopped:
            log.broken("interrupted")
            raise
        except StackProblem as problem:
            log.broken(str(problem))
            raise StackProblem(f"step {step.do}: {problem}") from None
        if late > LATE:
            note = f"{late:.1f} s after its time, because the step before took longer"
            done = Done(f"{done.detail}; {note}" if done.detail else note, done.commands)
        log.end(clock.now(), done)
