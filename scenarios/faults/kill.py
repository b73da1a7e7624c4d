"""Kill: a process dies at once (SIGKILL) and is started again later."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from scenarios.faults.process import ProcessFault
from scenarios.units import Seconds


class Kill(ProcessFault):
    """SIGKILL at `start`, started again after `down` on the same port and database. Requests in
    progress are cut; the gateways forget their orders, the lender keeps what it has stored."""

    seen: ClassVar[str] = "in progress: reset; then refused until it serves again"

    kind: Literal["kill"] = "kill"
    down: Seconds = Field(default=5.0, description="until it is started again")
    start_up: Seconds = Field(
        default=1.0,
        description="in virtual time, until it serves; a real start takes what it takes",
    )

    @model_validator(mode="after")
    def _no_duration(self) -> Kill:
        if self.duration is not None:
            raise ValueError("kill takes no duration; write down, such as 5s")
        return self

    @property
    def end(self) -> float:
        return self.start + self.down + self.start_up
