"""Restart: a process is asked to end (SIGTERM), and started again at once."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from scenarios.faults.process import ProcessFault
from scenarios.units import Seconds


class Restart(ProcessFault):
    """SIGTERM at `start`: what is in progress may end, new requests are refused until the process
    serves again. The gateways forget their orders."""

    seen: ClassVar[str] = "refused until it serves again"

    kind: Literal["restart"] = "restart"
    start_up: Seconds = Field(
        default=1.0,
        description="in virtual time, until it serves; a real start takes what it takes",
    )

    @model_validator(mode="after")
    def _no_duration(self) -> Restart:
        if self.duration is not None:
            raise ValueError("restart takes no duration; it is over when the process serves again")
        return self

    @property
    def end(self) -> float:
        return self.start + self.start_up
