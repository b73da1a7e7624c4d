"""Pause: a process stands still (SIGSTOP) and goes on later (SIGCONT)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import model_validator

from scenarios.faults.process import ProcessFault


class Pause(ProcessFault):
    """Everything in the process waits for `duration`; connections are taken, nothing is answered.
    Then it goes on with what it was doing, and with what has come meanwhile."""

    seen: ClassVar[str] = "no answer until it goes on; callers time out"

    kind: Literal["pause"] = "pause"

    @model_validator(mode="after")
    def _ends(self) -> Pause:
        if self.duration is None:
            raise ValueError("pause needs a duration, such as 10s")
        return self
