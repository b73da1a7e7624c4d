"""Throttle: the target accepts only so many requests a second."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from scenarios.faults.base import Context, Effect, Fault
from scenarios.plain_text import Line
from scenarios.token_bucket import TokenBucket
from scenarios.units import Count, PerSecond


class Throttle(Fault):
    """Answers 429 beyond `rate` requests a second (token bucket with room for `burst`)."""

    seen: ClassVar[str] = "429 beyond the rate"

    kind: Literal["throttle"] = "throttle"
    rate: PerSecond
    burst: Count = Field(default=1, ge=1)
    code: Line = Field(default="429", min_length=1, description="the refusal's code")

    @model_validator(mode="after")
    def _some_rate(self) -> Throttle:
        if self.rate <= 0:
            raise ValueError("rate must be above 0; write an outage to refuse everything")
        return self

    def effect(self, context: Context) -> Effect | None:
        bucket = context.memory.get("bucket")
        if bucket is None:
            bucket = context.memory["bucket"] = TokenBucket(self.rate, self.burst)
        if bucket.take(context.now):
            return None
        return Effect(status=429, code=self.code)
