"""What a scenario file holds. Units: seconds, per second, shares from 0 to 1, CNY fen."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from scenarios.contract import OPERATIONS
from scenarios.distributions import Delay, constant
from scenarios.faults import AnyFault, Fault
from scenarios.gateways import FIELD_39, GATEWAY_OPERATIONS
from scenarios.objectives import parse_objective
from scenarios.units import PerSecond, Seconds, Share


class Section(BaseModel):
    """A part of a scenario: unknown fields are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)


def _one_of(known: Iterable[str]) -> AfterValidator:
    # Keys of a table by operation or gateway: a typo would be a setting that does nothing.
    names = tuple(known)

    def check(key: str) -> str:
        if key not in names:
            raise ValueError(f"{key!r} is not known here; write {', '.join(names)}")
        return key

    return AfterValidator(check)


# ── population ──────────────────────────────────────────────────────────────────────────────────


class Typos(Section):
    """The share of customers who first mistype a field."""

    name: Share = 0.005
    id_number: Share = 0.01
    phone: Share = 0.01
    card_number: Share = 0.02
    otp: Share = 0.02


class Population(Section):
    """Who the customers are."""

    size: int = Field(default=5_000_000, ge=1, le=10_000_000, description="customers to draw from")
    locale: Literal["zh_CN"] = "zh_CN"
    provinces: dict[str, float] = Field(
        default_factory=dict,
        description="weight by two-digit GB/T 2260 province code; all alike by population if empty",
    )
    ages: dict[str, float] = Field(
        default_factory=lambda: {"18-24": 0.25, "25-34": 0.40, "35-44": 0.22, "45-60": 0.13},
        description="weight by age band, such as 25-34; bands below 18 are refused by the lender",
    )
    banks: dict[str, float] = Field(
        default_factory=dict,
        description="weight by issuer of scenarios/population/issuers.csv; its shares if empty",
    )
    typos: Typos = Typos()
    returning: Share = Field(default=0.02, description="share who registered in this run before")

    @field_validator("provinces", "ages", "banks")
    @classmethod
    def _weights(cls, weights: dict[str, float]) -> dict[str, float]:
        for key, weight in weights.items():
            if weight < 0:
                raise ValueError(f"the weight of {key} is {weight}; write 0 or more")
        if weights and sum(weights.values()) <= 0:
            raise ValueError("all weights are 0; give at least one a positive weight")
        return weights


# ── journey ─────────────────────────────────────────────────────────────────────────────────────


class ThinkTimes(Section):
    """How long a customer looks at each screen before pressing its button."""

    register_: Delay = Field(default=Delay(p50=25, p99=120), alias="register")
    documents: Delay = Delay(p50=15, p99=60)
    submit: Delay = Delay(p50=30, p99=120)
    read_otp: Delay = Delay(p50=6, p99=25)
    correct: Delay = Delay(p50=12, p99=60)
    authorise: Delay = Delay(p50=8, p99=40)
    test_payment: Delay = Delay(p50=4, p99=20)
    retry: Delay = Delay(p50=5, p99=30)


class Journey(Section):
    """How customers behave. `pace` multiplies every human time below, patience included: 0.1 is a
    run in which people think and give up ten times as fast, so that a minute holds whole journeys.
    """

    pace: float = Field(default=1.0, gt=0, le=100, allow_inf_nan=False)
    think: ThinkTimes = ThinkTimes()
    patience: Delay = Field(
        default=Delay(p50=600, p99=1800), description="for the whole binding, then gives up"
    )
    request_timeout: Seconds = Field(default=30.0, gt=0, description="of the app; not paced")
    otp_wait: Seconds = Field(default=60.0, gt=0, description="waits for a code, then asks again")
    resends: int = Field(default=2, ge=0, le=20, description="times a customer asks again")
    retries: int = Field(default=2, ge=0, le=20, description="presses again after a failed step")
    status_poll: Seconds = Field(default=2.0, gt=0, description="between looks at a pending state")
    come_back: Share = Field(default=0.3, description="share who try again after giving up")
    come_back_after: Delay = Delay(p50=120, p99=900)


# ── arrivals ────────────────────────────────────────────────────────────────────────────────────


class ConstantArrivals(Section):
    """Evenly spaced."""

    kind: Literal["constant"]
    rate: PerSecond


class PoissonArrivals(Section):
    """Independent customers: exponential gaps."""

    kind: Literal["poisson"]
    rate: PerSecond


class RampArrivals(Section):
    """Poisson with a rate that goes linearly from `start` to `end` over `over`, then stays."""

    kind: Literal["ramp"]
    start: PerSecond
    end: PerSecond
    over: Seconds | None = Field(default=None, description="the whole duration if not given")


class Stage(Section):
    """One level of a staircase."""

    rate: PerSecond
    duration: Seconds


class StepArrivals(Section):
    """Poisson, one level after another; the last stays."""

    kind: Literal["steps"]
    steps: Annotated[tuple[Stage, ...], Field(min_length=1)]


class SpikeArrivals(Section):
    """Poisson at `rate`, but `peak` in the window."""

    kind: Literal["spike"]
    rate: PerSecond
    peak: PerSecond
    at: Seconds
    duration: Seconds


class DiurnalArrivals(Section):
    """Poisson along a day: `rate` is the day's mean, `hours` the relative weight of each hour."""

    kind: Literal["diurnal"]
    rate: PerSecond
    hours: Annotated[tuple[float, ...], Field(min_length=24, max_length=24)] = (
        *(0.35, 0.22, 0.15, 0.12, 0.12, 0.18, 0.38, 0.66, 0.95, 1.25, 1.38, 1.40),
        *(1.42, 1.30, 1.28, 1.30, 1.28, 1.25, 1.28, 1.48, 1.86, 1.76, 1.50, 1.13),
    )
    starts_at: Seconds = Field(default=0.0, description="time of day at which the run begins")

    @field_validator("hours")
    @classmethod
    def _no_negative_hour(cls, hours: tuple[float, ...]) -> tuple[float, ...]:
        if min(hours) < 0 or sum(hours) <= 0:
            raise ValueError("hours needs weights of 0 or more, not all 0")
        return hours


class RecordedArrivals(Section):
    """Arrival times from a CSV file with a column `seconds` (since the run began, rising)."""

    kind: Literal["recorded"]
    file: Path = Field(description="relative to the scenario file")
    rate: PerSecond | None = Field(
        default=None, gt=0, description="squeezes or stretches the recording to this mean rate"
    )


Arrivals = Annotated[
    ConstantArrivals
    | PoissonArrivals
    | RampArrivals
    | StepArrivals
    | SpikeArrivals
    | DiurnalArrivals
    | RecordedArrivals,
    Field(discriminator="kind"),
]


# ── world ───────────────────────────────────────────────────────────────────────────────────────


class IssuerWorld(Section):
    """One issuing bank behind the network that differs from the rest."""

    latency_factor: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    decline: dict[Annotated[str, _one_of(FIELD_39)], Share] = Field(
        default_factory=dict, description="share of cards by field 39 answer, such as {'57': 2%}"
    )


class BankWorld(Section):
    """The bank network."""

    latency: dict[Annotated[str, _one_of(GATEWAY_OPERATIONS["bank"])], Delay] = Field(
        default_factory=lambda: {
            "open": Delay(p50=0.12, p99=0.6),
            "query": Delay(p50=0.04, p99=0.2),
        },
        description="by operation: open (verify four elements and sign), query",
    )
    rate_limit: PerSecond | None = Field(default=None, description="above it: respCode 37")
    concurrency: int | None = Field(default=None, ge=1, description="more wait in line")
    decline: dict[Annotated[str, _one_of(FIELD_39)], Share] = Field(
        default_factory=lambda: {"57": 0.004, "62": 0.002, "41": 0.001},
        description="share of cards by the switch's field 39",
    )
    unknown: Share = Field(
        default=0.0, description="opens that end unknown (03/04/05) and must be queried"
    )
    issuers: dict[str, IssuerWorld] = Field(default_factory=dict)


class Carrier(Section):
    """From the SMS gateway to the handset."""

    delay: Delay = Delay(p50=2.5, p99=15)
    loss: Share = 0.005
    duplicate: Share = 0.002


class SmsLimits(Section):
    """Accepted submissions for one number; the day rolls or follows the calendar."""

    minute: int = Field(default=1, ge=1)
    hour: int = Field(default=5, ge=1)
    day: int = Field(default=10, ge=1)
    day_is: Literal["rolling", "calendar"] = "rolling"


class SmsWorld(Section):
    """The SMS gateway and its carrier."""

    latency: dict[Annotated[str, _one_of(GATEWAY_OPERATIONS["sms"])], Delay] = Field(
        default_factory=lambda: {"send": Delay(p50=0.03, p99=0.15)}, description="by operation"
    )
    rate_limit: PerSecond | None = Field(default=None, description="above it: throttled")
    concurrency: int | None = Field(default=None, ge=1)
    carrier: Carrier = Carrier()
    limits: SmsLimits = SmsLimits()


class Notifications(Section):
    """Asynchronous payment notifications: the retry schedule's gaps, divided by `speedup`."""

    schedule: Literal["alipay", "wechat"] = "alipay"
    speedup: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    delay: Delay = Field(default=Delay(p50=0.2, p99=1.0), description="before the first attempt")
    duplicate: Share = 0.0


class PaymentWorld(Section):
    """The payment gateway."""

    latency: dict[Annotated[str, _one_of(GATEWAY_OPERATIONS["payment"])], Delay] = Field(
        default_factory=lambda: {
            "charge": Delay(p50=0.15, p99=0.8),
            "refund": Delay(p50=0.1, p99=0.5),
            "query": Delay(p50=0.03, p99=0.15),
        },
        description="by operation",
    )
    rate_limit: PerSecond | None = None
    concurrency: int | None = Field(default=None, ge=1)
    decline: Share = Field(default=0.003, description="agreements whose every charge fails")
    processing: Share = Field(default=0.0, description="charges answered PROCESSING at first")
    notifications: Notifications = Notifications()


Connections = Annotated[int, Field(ge=1)]


class LenderWorld(Section):
    """The machine under the lender: what the simulator needs to know of it.

    `service` is processor time a request, by operation (`*` for the rest); `commit` is one durable
    database commit; both can be measured by `bindrill calibrate`.
    """

    workers: int = Field(default=64, ge=1, description="requests in progress; more wait in line")
    cores: int = Field(default=1, ge=1)
    service: dict[Annotated[str, _one_of(("*", *OPERATIONS))], Delay] = Field(
        default_factory=lambda: {"*": Delay(p50=0.002, p99=0.006)}
    )
    commit: Delay = Delay(p50=0.002, p99=0.01)
    call_overhead: Delay = Field(
        default=constant(0.002), description="a gateway call beside the gateway's own delay"
    )
    connections: dict[Annotated[str, _one_of(GATEWAY_OPERATIONS)], Connections] = Field(
        default_factory=lambda: {"bank": 100, "sms": 100, "payment": 100},
        description="connections to each gateway; calls beyond wait in line",
    )


class World(Section):
    """Everything outside the lender's code."""

    network: Delay = Field(default=constant(0.002), description="customer to lender and back")
    bank: BankWorld = BankWorld()
    sms: SmsWorld = SmsWorld()
    payment: PaymentWorld = PaymentWorld()
    lender: LenderWorld = LenderWorld()


# ── lender policy ───────────────────────────────────────────────────────────────────────────────


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


# ── the scenario ────────────────────────────────────────────────────────────────────────────────


def _stated(text: str) -> str:
    parse_objective(text)
    return text


class Scenario(Section):
    """One declarative experiment, valid in both clocks."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="lower case, digits, hyphens")
    title: str = ""
    description: str = ""
    seed: int = Field(default=1, ge=0)
    duration: Seconds = Field(gt=0, description="arrivals stop after it")
    drain: Seconds = Field(default=60.0, description="then journeys may still end for so long")
    population: Population = Population()
    journey: Journey = Journey()
    arrivals: Arrivals = Field(
        description="how customers come: a kind, such as poisson, and a rate, such as 10/s"
    )
    world: World = World()
    lender: LenderPolicy = LenderPolicy()
    faults: tuple[AnyFault, ...] = ()
    objectives: tuple[Annotated[str, AfterValidator(_stated)], ...] = Field(
        default=(), description="such as p95(confirm) < 800ms or success_rate >= 99%"
    )

    @property
    def fault_timeline(self) -> tuple[Fault, ...]:
        """The faults, typed."""
        return self.faults
