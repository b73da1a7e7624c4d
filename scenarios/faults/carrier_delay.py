"""Carrier delay: the SMS gateway accepts at once, the handset gets the message late."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from scenarios.distributions import Delay
from scenarios.faults.base import Context, Effect, Fault


class CarrierDelay(Fault):
    """Adds `delay` between the gateway and the handset; the gateway's own answer is on time."""

    ramp_grows: ClassVar[Literal["share", "size"]] = "size"
    seen: ClassVar[str] = "accepted at once; the message arrives late"

    kind: Literal["carrier-delay"] = "carrier-delay"
    target: Literal["sms"] = "sms"
    delay: Delay = Field(description="added to the way: 20s, or {p50: 10s, p99: 40s}")

    def effect(self, context: Context) -> Effect | None:
        return Effect(carrier_delay=self.delay.at(context.uniform) * context.strength)
