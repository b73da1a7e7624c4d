"""Partial body: the connection closes in the middle of the answer."""

from __future__ import annotations

from typing import ClassVar, Literal

from scenarios.faults.base import Context, Effect, Fault


class PartialBody(Fault):
    """The work is done; the answer ends after half of its body, short of its Content-Length."""

    seen: ClassVar[str] = "a broken answer, counted as RESET; the outcome is unknown"

    kind: Literal["partial-body"] = "partial-body"

    def effect(self, context: Context) -> Effect | None:
        return Effect(manner="partial")
