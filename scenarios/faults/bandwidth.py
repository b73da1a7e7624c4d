"""Bandwidth: answers leave at so many bytes a second."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from scenarios.faults.base import Context, Effect, Fault
from scenarios.units import Count


class Bandwidth(Fault):
    """Each answer takes as long as its JSON body needs at `bytes_per_second`."""

    seen: ClassVar[str] = "the answer, later the larger it is"

    kind: Literal["bandwidth"] = "bandwidth"
    bytes_per_second: Count = Field(ge=1, description="bytes a second for each answer, such as 200")

    def effect(self, context: Context) -> Effect | None:
        return Effect(bandwidth=self.bytes_per_second)
