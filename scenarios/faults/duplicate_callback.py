"""Duplicate callback: a delivery report or payment notification comes more than once."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from scenarios.faults.base import Context, Effect, Fault
from scenarios.units import Count


class DuplicateCallback(Fault):
    """Each callback attempt that it hits is sent `copies` times more, acknowledged or not."""

    on_callbacks: ClassVar[bool] = True
    seen: ClassVar[str] = "the lender gets the same callback again at once"

    kind: Literal["duplicate-callback"] = "duplicate-callback"
    copies: Count = Field(default=1, ge=1, le=100, description="beside the one that comes anyway")

    def effect(self, context: Context) -> Effect | None:
        return Effect(copies=self.copies)
