"""Everything outside the lender's code, as scenario files describe it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from scenarios.contract import OPERATIONS
from scenarios.distributions import Delay, constant
from scenarios.gateways import FIELD_39, GATEWAY_OPERATIONS
from scenarios.section import Section, one_of
from scenarios.units import Count, Number, PerSecond, Seconds, Share, beyond_one_whole


def _of_one_card(decline: dict[str, float]) -> dict[str, float]:
    if wrong := beyond_one_whole(decline.values()):
        raise ValueError(f"a card is declined for one reason: {wrong}")
    return decline


Declines = Annotated[dict[Annotated[str, one_of(FIELD_39)], Share], AfterValidator(_of_one_card)]
"""Share of cards by the answer that they get (field 39); no card gets two."""


class IssuerWorld(Section):
    """One issuing bank behind the network that differs from the rest."""

    latency_factor: Number = Field(default=1.0, gt=0)
    decline: Declines = Field(
        default_factory=dict, description="share of cards by field 39 answer, such as {'57': 2%}"
    )


class BankWorld(Section):
    """The bank network."""

    latency: dict[Annotated[str, one_of(GATEWAY_OPERATIONS["bank"])], Delay] = Field(
        default_factory=lambda: {
            "open": Delay(p50=0.12, p99=0.6),
            "query": Delay(p50=0.04, p99=0.2),
        },
        description="by operation: open (verify four elements and sign), query",
    )
    rate_limit: PerSecond | None = Field(default=None, description="above it: respCode 37")
    concurrency: Count | None = Field(default=None, ge=1, description="more wait in line")
    decline: Declines = Field(
        default_factory=lambda: {"57": 0.004, "62": 0.002, "41": 0.001},
        description="share of cards by the switch's field 39",
    )
    unknown: Share = Field(
        default=0.0, description="opens that end unknown (03/04/05) and must be queried"
    )
    issuers: dict[str, IssuerWorld] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _declines_of_issuers(self) -> BankWorld:
        for name, issuer in self.issuers.items():
            if wrong := beyond_one_whole({**self.decline, **issuer.decline}.values()):
                raise ValueError(f"issuers.{name}.decline with the bank's decline: {wrong}")
        return self


class Carrier(Section):
    """From the SMS gateway to the handset."""

    delay: Delay = Delay(p50=2.5, p99=15)
    loss: Share = 0.005
    duplicate: Share = 0.002


class SmsLimits(Section):
    """Accepted submissions for one number; the day rolls or follows the calendar."""

    minute: Count = Field(default=1, ge=1)
    hour: Count = Field(default=5, ge=1)
    day: Count = Field(default=10, ge=1)
    day_is: Literal["rolling", "calendar"] = "rolling"


class SmsWorld(Section):
    """The SMS gateway and its carriers; `backup` takes what `send_backup` submits."""

    latency: dict[Annotated[str, one_of(GATEWAY_OPERATIONS["sms"])], Delay] = Field(
        default_factory=lambda: {"send": Delay(p50=0.03, p99=0.15)}, description="by operation"
    )
    rate_limit: PerSecond | None = Field(default=None, description="above it: throttled")
    concurrency: Count | None = Field(default=None, ge=1)
    carrier: Carrier = Carrier()
    backup: Carrier = Carrier()
    limits: SmsLimits = SmsLimits()


class Notifications(Section):
    """Asynchronous payment notifications: the retry schedule's gaps, divided by `speedup`."""

    schedule: Literal["alipay", "wechat"] = "alipay"
    speedup: Number = Field(default=1.0, gt=0)
    delay: Delay = Field(default=Delay(p50=0.2, p99=1.0), description="before the first attempt")
    duplicate: Share = 0.0


class PaymentWorld(Section):
    """The payment gateway."""

    latency: dict[Annotated[str, one_of(GATEWAY_OPERATIONS["payment"])], Delay] = Field(
        default_factory=lambda: {
            "charge": Delay(p50=0.15, p99=0.8),
            "refund": Delay(p50=0.1, p99=0.5),
            "query": Delay(p50=0.03, p99=0.15),
        },
        description="by operation",
    )
    rate_limit: PerSecond | None = None
    concurrency: Count | None = Field(default=None, ge=1)
    decline: Share = Field(default=0.003, description="agreements whose every charge fails")
    processing: Share = Field(default=0.0, description="charges answered PROCESSING at first")
    notifications: Notifications = Notifications()


Connections = Annotated[Count, Field(ge=1)]
CONNECTIONS: dict[str, int] = {"bank": 100, "sms": 100, "payment": 100}


class LenderWorld(Section):
    """The machine under the lender: what the simulator needs to know of it.

    `service` is processor time a request, by operation (`*` for the rest); a request that finds a
    core idle takes `wakeup` more (a queue with exceptional first service, P. D. Welch, "On a
    generalized M/G/1 queuing process", Operations Research 12, 1964). `commit` is one durable
    database commit. All three can be measured by `bindrill calibrate`.
    """

    workers: Count = Field(default=64, ge=1, description="requests in progress; more wait in line")
    cores: Count = Field(default=1, ge=1)
    service: dict[Annotated[str, one_of(("*", *OPERATIONS))], Delay] = Field(
        default_factory=lambda: {"*": Delay(p50=0.002, p99=0.006)}
    )
    wakeup: Seconds = Field(default=0.0, description="more for a request to an idle core")
    commit: Delay = Delay(p50=0.002, p99=0.01)
    call_overhead: Delay = Field(
        default=constant(0.002), description="a gateway call beside the gateway's own delay"
    )
    connections: dict[Annotated[str, one_of(GATEWAY_OPERATIONS)], Connections] = Field(
        default_factory=lambda: dict(CONNECTIONS),
        description="connections to each gateway (100 if left out); calls beyond wait in line",
    )

    @field_validator("connections")
    @classmethod
    def _to_every_gateway(cls, given: dict[str, int]) -> dict[str, int]:
        return CONNECTIONS | given


class World(Section):
    """Everything outside the lender's code."""

    network: Delay = Field(default=constant(0.002), description="customer to lender and back")
    bank: BankWorld = BankWorld()
    sms: SmsWorld = SmsWorld()
    payment: PaymentWorld = PaymentWorld()
    lender: LenderWorld = LenderWorld()
