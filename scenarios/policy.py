"""Decisions of the reference lender, as scenario files set them.

Resilience policies are off unless a scenario writes them; `docs/policies.md` tells what each does.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from scenarios.section import Section
from scenarios.units import Count, Number, PerSecond, Seconds, Share


class RetryBudget(Section):
    """Retries as a share of requests: each request earns `ratio` of a token, up to `burst` tokens,
    and each retry or hedge takes one."""

    ratio: Share = 0.1
    burst: Number = Field(default=10.0, ge=1, description="tokens; full first")


class Breaker(Section):
    """Circuit breaker: opens when `failure_share` of the calls in the window failed."""

    failure_share: Share = Field(default=0.5, gt=0)
    window: Seconds = Field(default=10.0, gt=0, description="calls this old no longer count")
    window_calls: Count = Field(default=100, ge=1, description="of these, the newest count")
    minimum_calls: Count = Field(default=10, ge=1, description="fewer in the window never open it")
    open_for: Seconds = Field(default=5.0, gt=0, description="then probes are let through")
    probes: Count = Field(default=3, ge=1, description="that must all succeed to close it")

    @model_validator(mode="after")
    def _can_open(self) -> Breaker:
        if self.minimum_calls > self.window_calls:
            raise ValueError(
                f"minimum_calls {self.minimum_calls} is above window_calls {self.window_calls},"
                " so the breaker would never open; write a smaller one"
            )
        return self


class AdaptiveLimit(Section):
    """Limit of concurrent calls that learns (AIMD): it grows by one a round of good answers, and
    shrinks to `decrease` of itself when answers fail or take longer than `latency`."""

    latency: Seconds = Field(default=1.0, gt=0, description="slower answers mean congestion")
    initial: Count = Field(default=20, ge=1)
    lowest: Count = Field(default=2, ge=1)
    highest: Count = Field(default=200, ge=1)
    decrease: Share = Field(default=0.7, gt=0, lt=1)

    @model_validator(mode="after")
    def _ordered(self) -> AdaptiveLimit:
        if not self.lowest <= self.initial <= self.highest:
            raise ValueError("write lowest, initial and highest in ascending order")
        return self


class Hedge(Section):
    """A second call when the first takes longer than most do; the first answer counts. Only
    operations that are idempotent by order number can be hedged."""

    ops: tuple[Literal["query", "charge"], ...] = Field(default=("query",), min_length=1)
    percentile: Share = Field(default=0.95, gt=0, lt=1, description="of recent calls' latency")
    delay: Seconds = Field(default=0.2, gt=0, description="until enough latencies are known")


class CallPolicy(Section):
    """How the lender calls one gateway."""

    timeout: Seconds = Field(default=3.0, gt=0)
    attempts: Count = Field(default=1, ge=1, le=10, description="1: no retry")
    backoff: Seconds = Field(default=0.2, description="before a retry; doubles each time")
    max_backoff: Seconds = Field(default=60.0, description="it doubles up to this")
    jitter: Literal["none", "full"] = Field(
        default="none", description="full: waits between 0 and the backoff, uniformly"
    )
    query_after: Seconds = Field(default=0.5, description="before asking about an unknown outcome")
    queries: Count = Field(default=3, ge=0, le=20, description="in the request; then in background")
    after_no_answer: Literal["query", "resend"] = Field(
        default="query",
        description="resend: send the same order again while attempts last, and ask afterwards",
    )
    server_error: Literal["unclear", "declined"] = Field(
        default="unclear",
        description="what an answer of HTTP 5xx to an order means; declined: as if nothing was"
        " done, which is wrong when it was",
    )
    retry_budget: RetryBudget | None = None
    breaker: Breaker | None = None
    max_concurrent: Count | None = Field(
        default=None, ge=1, description="bulkhead: calls beyond are refused at once"
    )
    adaptive_limit: AdaptiveLimit | None = None
    hedge: Hedge | None = None


class SmsPolicy(CallPolicy):
    """How the lender has codes sent."""

    fallback: bool = Field(default=False, description="a second carrier when the first fails")
    resend_unreported: Seconds | None = Field(
        default=None,
        gt=0,
        description="sends a code once more when no delivery report has come by then, as far as"
        " the retry budget goes",
    )

    @model_validator(mode="after")
    def _sends_once(self) -> SmsPolicy:
        if self.hedge is not None or self.after_no_answer != "query":
            raise ValueError(
                "hedge and after_no_answer go with orders that have a number; a message has none,"
                " so write attempts or fallback"
            )
        return self


class OtpPolicy(Section):
    """One-time codes."""

    digits: Count = Field(default=6, ge=4, le=8)
    validity: Seconds = Field(default=300.0, gt=0)
    tries: Count = Field(default=5, ge=1, le=20)
    cooldown: Seconds = Field(
        default=0.0, description="between codes for one binding; sooner ones get 429 SMS_LIMIT"
    )


class AcceptLater(Section):
    """Accept now, verify later: a confirmation that the bank cannot take is answered 202, kept,
    and sent at `drain_rate` until the bank takes it."""

    drain_rate: PerSecond = Field(default=5.0, gt=0)


class LenderPolicy(Section):
    """Decisions of the reference lender."""

    bank: CallPolicy = CallPolicy()
    sms: SmsPolicy = SmsPolicy(timeout=2.0, attempts=2)
    payment: CallPolicy = CallPolicy()
    otp: OtpPolicy = OtpPolicy()
    request_deadline: Seconds | None = Field(
        default=None, gt=0, description="a whole request, waiting in line included"
    )
    max_queue: Count | None = Field(
        default=None, ge=0, description="requests waiting for a worker; more get 503 OVERLOADED"
    )
    accept_later: AcceptLater | None = None
    outbox_interval: Seconds = Field(
        default=2.0, gt=0, description="between looks for unfinished partner calls"
    )
    give_up_after: Seconds = Field(
        default=600.0, gt=0, description="an unknown outcome this old becomes FAILED"
    )

    @field_validator("bank")
    @classmethod
    def _bank_charges_nothing(cls, bank: CallPolicy) -> CallPolicy:
        if bank.hedge is not None and "charge" in bank.hedge.ops:
            raise ValueError("hedge.ops: the bank charges nothing; write query")
        return bank
