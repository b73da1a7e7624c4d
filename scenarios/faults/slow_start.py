"""Slow start: after a start or a recovery, everything takes longer for a while."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from scenarios.faults.base import Context, Effect, Fault
from scenarios.units import Number, Seconds


class SlowStart(Fault):
    """From `start` on the work takes `factor` times as long, falling linearly to 1 `over` a time:
    cold caches, connection pools, compilers. It keeps places busy for as long."""

    seen: ClassVar[str] = "answers that are slow at first and get faster"

    kind: Literal["slow-start"] = "slow-start"
    factor: Number = Field(gt=1, le=1000, description="at the start, such as 8")
    over: Seconds = Field(gt=0, description="until it is back to normal")

    @property
    def end(self) -> float:
        return self.start + (self.over if self.duration is None else self.duration)

    def effect(self, context: Context) -> Effect | None:
        left = 1 - (context.now - self.start) / self.over
        return Effect(slowdown=1 + (self.factor - 1) * left) if left > 0 else None
