"""Clock skew: the lender's clock is wrong."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from scenarios.faults.base import Context, Effect, Fault, Where
from scenarios.units import Seconds


class ClockSkew(Fault):
    """The lender's clock is `ahead` (or `behind`) by so many seconds. With a ramp it drifts there;
    with a period it is as if every other request met a node whose clock is wrong."""

    of_the_whole: ClassVar[bool] = True
    ramp_grows: ClassVar[Literal["share", "size"]] = "size"
    seen: ClassVar[str] = "codes expire early or late; beyond 5 min, callbacks are refused"

    kind: Literal["clock-skew"] = "clock-skew"
    target: Literal["lender"] = "lender"
    ahead: Seconds = Field(default=0.0, description="how far the clock runs ahead")
    behind: Seconds = Field(default=0.0, description="how far the clock is behind")

    @model_validator(mode="after")
    def _one_of_both(self) -> ClockSkew:
        if (self.ahead > 0) == (self.behind > 0):
            raise ValueError("clock-skew takes either ahead or behind, above 0")
        return self

    @property
    def where(self) -> Where:
        return "standing"

    def effect(self, context: Context) -> Effect | None:
        return Effect(skew=(self.ahead - self.behind) * context.strength)
