"""Whether customers can be served, why not, and when somebody notices."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import Literal

from simpy import Environment, Event

from scenarios.drill import Probe

Symptom = Literal["refuses", "hangs"]
"""How an outage shows: an answer at once that says no, or no answer."""


class Service:
    """The service while causes of outage come and go; it is up without any.

    `first_check` gives when the first check that fails begins, in seconds after the outage of that
    number; below 0 for one that is under way then.
    """

    def __init__(self, env: Environment, probe: Probe, first_check: Callable[[int], float]) -> None:
        self._env = env
        self._probe = probe
        self._first_check = first_check
        self._causes: dict[str, Symptom] = {}
        self._changes: list[float] = []
        self.alarm: Event = env.event()
        """Happens when the probe has failed often enough in the outage that is or was last."""

    def breaks(self, cause: str, symptom: Symptom) -> None:
        """An outage begins, or gets one more cause."""
        if not self._causes:
            self._changes.append(self._env.now)
            self.alarm = self._env.event()
            self._env.process(self._watch(self.alarm, len(self._changes)))
        self._causes[cause] = symptom

    def mend(self, *causes: str) -> None:
        """These causes are gone, where they were there."""
        was_up = self.up
        for cause in causes:
            self._causes.pop(cause, None)
        if self.up and not was_up:
            self._changes.append(self._env.now)

    def broken_by(self, cause: str) -> bool:
        """Whether this cause is there."""
        return cause in self._causes

    @property
    def up(self) -> bool:
        """Whether customers can be served."""
        return not self._causes

    @property
    def last_up(self) -> float:
        """The newest moment at which customers could be served: now, or when the outage began."""
        return self._env.now if self.up else self._changes[-1]

    @property
    def first_down(self) -> float | None:
        """When the first outage began; None before any."""
        return self._changes[0] if self._changes else None

    def spans_after_outages(self) -> list[tuple[float, float]]:
        """From when to when customers could be served again, outage by outage; the last one may be
        for ever."""
        ends = [*self._changes[2::2], math.inf]
        return list(zip(self._changes[1::2], ends, strict=False))

    def _watch(self, alarm: Event, outage: int) -> Generator[Event, None, None]:
        """Checks of one outage, until one succeeds or enough have failed in a row."""
        env, probe = self._env, self._probe
        begins = env.now + self._first_check(outage)
        for _ in range(probe.failures):
            yield env.timeout(max(0.0, begins - env.now))
            if "hangs" in self._causes.values():
                yield env.timeout(max(0.0, begins + probe.timeout - env.now))
            if self.up or self.alarm is not alarm:
                return
            # Checks keep their beat, unless one takes longer than that.
            begins = max(begins + probe.every, env.now)
        alarm.succeed()
