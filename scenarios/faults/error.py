"""Error: the target answers with a code of its own instead of doing the work."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from scenarios.faults.base import Context, Effect, Fault


class Error(Fault):
    """Answers `code` (the target's own code table) with HTTP `status`, without doing the work."""

    kind: Literal["error"] = "error"
    code: str = Field(min_length=1, description="the answer's code, such as 03 or 91 at the bank")
    status: int = Field(default=200, ge=200, le=599, description="the answer's HTTP status")

    def effect(self, context: Context) -> Effect | None:
        return Effect(status=self.status, code=self.code)
