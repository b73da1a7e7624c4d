"""Reordered callback: some callbacks are held back, so that later ones overtake them."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from scenarios.distributions import Delay
from scenarios.faults.base import Context, Effect, Fault


class ReorderedCallback(Fault):
    """Holds `share` of the callback attempts back for `delay`; the others pass them by."""

    on_callbacks: ClassVar[bool] = True
    ramp_grows: ClassVar[Literal["share", "size"]] = "size"
    seen: ClassVar[str] = "the lender gets callbacks late, after ones that were sent later"

    kind: Literal["reordered-callback"] = "reordered-callback"
    delay: Delay = Field(description="how long it is held back: 5s, or {p50: 2s, p99: 20s}")

    def effect(self, context: Context) -> Effect | None:
        return Effect(delay=self.delay.at(context.uniform) * context.strength)
