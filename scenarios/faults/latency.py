"""Latency: replies come late."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from scenarios.distributions import Delay
from scenarios.faults.base import Context, Effect, Fault


class Latency(Fault):
    """Adds `delay` to each reply that it hits; the work is done at once, the answer is late."""

    ramp_grows: ClassVar[Literal["share", "size"]] = "size"
    seen: ClassVar[str] = "the answer, late"

    kind: Literal["latency"] = "latency"
    delay: Delay = Field(description="added to the reply: 500ms, or {p50: 300ms, p99: 2s}")

    def effect(self, context: Context) -> Effect | None:
        return Effect(delay=self.delay.at(context.uniform) * context.strength)
