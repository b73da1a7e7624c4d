"""Error: the target answers with a code of its own instead of doing the work."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from scenarios.faults.base import Context, Effect, Fault
from scenarios.plain_text import Line
from scenarios.units import Count


class Error(Fault):
    """Answers `code` (the target's own code table) with HTTP `status`; the work is not done, or,
    with `processed`, done all the same (a charge that succeeds and answers an error)."""

    seen: ClassVar[str] = "a well-formed answer that says it failed"

    kind: Literal["error"] = "error"
    code: Line = Field(min_length=1, description="the answer's code, such as 03 or 91 at the bank")
    status: Count = Field(default=200, ge=200, le=599, description="the answer's HTTP status")
    processed: bool = Field(default=False, description="the work is done although it says not")

    def effect(self, context: Context) -> Effect | None:
        return Effect(status=self.status, code=self.code, processed=self.processed)
