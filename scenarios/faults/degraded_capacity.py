"""Degraded capacity: a part of a gateway's places is gone."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from scenarios.faults.base import Context, Effect, Fault, Where
from scenarios.units import Number


class DegradedCapacity(Fault):
    """The gateway's `concurrency` is multiplied by `factor` (one place is always left); requests
    that arrive meanwhile wait longer in line."""

    of_the_whole: ClassVar[bool] = True
    ramp_grows: ClassVar[Literal["share", "size"]] = "size"
    seen: ClassVar[str] = "answers that wait in line, later the more requests there are"

    kind: Literal["degraded-capacity"] = "degraded-capacity"
    target: Literal["bank", "sms", "payment"] = Field(description="bank, sms or payment")
    factor: Number = Field(gt=0, lt=1, description="share of the places that is left, such as 0.25")

    @property
    def where(self) -> Where:
        return "standing"

    def effect(self, context: Context) -> Effect | None:
        return Effect(capacity=1 - (1 - self.factor) * context.strength)
