"""Malformed body: the answer is complete, but it is not JSON."""

from __future__ import annotations

from typing import ClassVar, Literal

from scenarios.faults.base import Context, Effect, Fault


class MalformedBody(Fault):
    """The work is done; the answer has its status and half of its body, which no parser takes."""

    seen: ClassVar[str] = "an answer without a meaning; the outcome is unknown"

    kind: Literal["malformed-body"] = "malformed-body"

    def effect(self, context: Context) -> Effect | None:
        return Effect(manner="malformed")
