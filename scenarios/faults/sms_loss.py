"""SMS loss: the gateway accepts the message, and the carrier loses it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from scenarios.faults.base import Context, Effect, Fault


class SmsLoss(Fault):
    """Messages that it hits never reach their handset; a report says UNDELIV, or none comes."""

    seen: ClassVar[str] = "accepted, but the customer gets no code"

    kind: Literal["sms-loss"] = "sms-loss"
    target: Literal["sms"] = "sms"
    reported: bool = Field(default=True, description="a delivery report says UNDELIV")

    def effect(self, context: Context) -> Effect | None:
        return Effect(lose_message="reported" if self.reported else "silent")
