"""Decisions of the reference lender, as scenario files set them."""

from __future__ import annotations

from pydantic import Field

from scenarios.section import Section
from scenarios.units import Seconds


class CallPolicy(Section):
    """How the lender calls one gateway."""

    timeout: Seconds = Field(default=3.0, gt=0)
    attempts: int = Field(default=1, ge=1, le=10, description="1: no retry")
    backoff: Seconds = Field(default=0.2, description="before a retry; doubles each time")
    query_after: Seconds = Field(default=0.5, description="before asking about an unknown outcome")
    queries: int = Field(default=3, ge=0, le=20, description="in the request; then in background")


class OtpPolicy(Section):
    """One-time codes."""

    digits: int = Field(default=6, ge=4, le=8)
    validity: Seconds = Field(default=300.0, gt=0)
    tries: int = Field(default=5, ge=1, le=20)


class LenderPolicy(Section):
    """Decisions of the reference lender."""

    bank: CallPolicy = CallPolicy()
    sms: CallPolicy = CallPolicy(timeout=2.0, attempts=2)
    payment: CallPolicy = CallPolicy()
    otp: OtpPolicy = OtpPolicy()
    outbox_interval: Seconds = Field(
        default=2.0, gt=0, description="between looks for unfinished partner calls"
    )
    give_up_after: Seconds = Field(
        default=600.0, gt=0, description="an unknown outcome this old becomes FAILED"
    )
