"""Slow close: the answer is there, but the connection that ends it stays open."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from scenarios.distributions import Delay
from scenarios.faults.base import Context, Effect, Fault


class SlowClose(Fault):
    """The answer's end is the end of its connection (no Content-Length), which closes `delay`
    late: whoever reads to the end waits for it."""

    ramp_grows: ClassVar[Literal["share", "size"]] = "size"
    seen: ClassVar[str] = "the body at once, its end late; the connection cannot be used again"

    kind: Literal["slow-close"] = "slow-close"
    delay: Delay = Field(description="from the body to the close: 2s, or {p50: 1s, p99: 5s}")

    def effect(self, context: Context) -> Effect | None:
        return Effect(hold=self.delay.at(context.uniform) * context.strength)
