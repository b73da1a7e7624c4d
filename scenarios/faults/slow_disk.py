"""Slow disk: the commits of the lender's database take longer."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from scenarios.faults.base import Context, Effect, Fault, Where
from scenarios.units import Seconds


class SlowDisk(Fault):
    """Each durable commit takes `delay` longer. Commits follow one another and everything that
    waits shares the next one, so a request waits for up to two of them for each of its own."""

    of_the_whole: ClassVar[bool] = True
    ramp_grows: ClassVar[Literal["share", "size"]] = "size"
    seen: ClassVar[str] = "everything that is stored takes longer; nothing fails by itself"

    kind: Literal["slow-disk"] = "slow-disk"
    target: Literal["lender"] = "lender"
    delay: Seconds = Field(gt=0, description="added to every commit, such as 300ms")

    @property
    def where(self) -> Where:
        return "standing"

    def effect(self, context: Context) -> Effect | None:
        return Effect(commit=self.delay * context.strength)
