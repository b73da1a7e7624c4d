"""Outage: the target does not answer at all, or answers 503."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from scenarios.faults.base import Context, Effect, Fault


class Outage(Fault):
    """The target is down in one of four ways.

    `refuse`: the port is closed (whole target, whole window); `reset`: the connection is cut by a
    TCP reset; `hang`: no answer until the caller gives up; `503`: an HTTP answer that says so. With
    `processed`, the work is done and only the answer is lost: the outcome is unknown to the caller.
    """

    seen: ClassVar[str] = "no connection, a broken one, no answer, or 503"

    kind: Literal["outage"] = "outage"
    mode: Literal["refuse", "reset", "hang", "503"] = "503"
    processed: bool = Field(default=False, description="the work is done, the answer is lost")

    @model_validator(mode="after")
    def _port_is_all_or_nothing(self) -> Outage:
        if self.mode == "refuse":
            narrowed = self.ops or self.issuer or self.carrier or self.first is not None
            partial = self.share < 1 or narrowed or self.ramp
            if partial or self.duration is None:
                raise ValueError(
                    "mode refuse closes the port: give it a duration, and no share, ramp, ops,"
                    " issuer, carrier or first; write mode: reset for a part of the requests"
                )
        if self.processed and self.mode in ("refuse", "503"):
            raise ValueError("processed goes with mode reset or hang only")
        return self

    def effect(self, context: Context) -> Effect | None:
        if self.mode == "503":
            return Effect(status=503, code="503")
        return Effect(transport=self.mode, processed=self.processed)
