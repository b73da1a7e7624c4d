"""What a scenario file holds. Units: seconds, per second, shares from 0 to 1, CNY fen."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator

from scenarios.arrival_kinds import Arrivals
from scenarios.distributions import Delay
from scenarios.drill import Drill
from scenarios.faults import AnyFault, Fault
from scenarios.objectives import parse_objective
from scenarios.plain_text import FolderName, Line, Paragraph, quoted
from scenarios.policy import LenderPolicy
from scenarios.section import Section
from scenarios.topology import Single, Topology
from scenarios.units import Count, Number, Seconds, Share
from scenarios.world import World

LARGEST_SEED = 2**63 - 1

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

    size: Count = Field(
        default=5_000_000, ge=1, le=10_000_000, description="customers to draw from"
    )
    locale: Literal["zh_CN"] = "zh_CN"
    provinces: dict[str, Number] = Field(
        default_factory=dict,
        description="weight by two-digit GB/T 2260 province code; all alike by population if empty",
    )
    ages: dict[str, Number] = Field(
        default_factory=lambda: {"18-24": 0.25, "25-34": 0.40, "35-44": 0.22, "45-60": 0.13},
        description="weight by age band, such as 25-34; bands below 18 are refused by the lender",
    )
    banks: dict[str, Number] = Field(
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
                raise ValueError(f"the weight of {quoted(key)} is {weight:g}; write 0 or more")
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

    pace: Number = Field(default=1.0, gt=0, le=100)
    think: ThinkTimes = ThinkTimes()
    patience: Delay = Field(
        default=Delay(p50=600, p99=1800), description="for the whole binding, then gives up"
    )
    request_timeout: Seconds = Field(default=30.0, gt=0, description="of the app; not paced")
    otp_wait: Seconds = Field(default=60.0, gt=0, description="waits for a code, then asks again")
    resends: Count = Field(default=2, ge=0, le=20, description="times a customer asks again")
    retries: Count = Field(default=2, ge=0, le=20, description="presses again after a failed step")
    status_poll: Seconds = Field(default=2.0, gt=0, description="between looks at a pending state")
    come_back: Share = Field(default=0.3, description="share who try again after giving up")
    come_back_after: Delay = Delay(p50=120, p99=900)
    attackers: Share = Field(
        default=0.0, description="share who only have codes sent to numbers of others"
    )
    attacker_presses: Count = Field(
        default=20, ge=1, le=1000, description="codes an attacker asks for, unless refused"
    )


# ── variants ────────────────────────────────────────────────────────────────────────────────────


class Variant(Section):
    """The scenario with some fields changed, such as another policy of the lender."""

    name: FolderName = Field(
        pattern=r"^[a-z0-9][a-z0-9+-]*$", description="lower case, digits, hyphens, plus signs"
    )
    title: Line = ""
    expect: Literal["met", "missed"] = Field(
        default="met", description="whether this variant should meet the objectives"
    )
    changes: dict[str, Any] = Field(
        default_factory=dict,
        description="values by dotted path, such as lender.bank.attempts, or as nested mappings",
    )


# ── the scenario ────────────────────────────────────────────────────────────────────────────────


def _stated(text: str) -> str:
    parse_objective(text)
    return text


class Scenario(Section):
    """One declarative experiment, valid in both clocks."""

    name: FolderName = Field(
        pattern=r"^[a-z0-9][a-z0-9-]*$", description="lower case, digits, hyphens"
    )
    title: Line = ""
    description: Paragraph = ""
    seed: int = Field(default=1, ge=0, le=LARGEST_SEED, strict=True)
    duration: Seconds = Field(gt=0, description="arrivals stop after it")
    drain: Seconds = Field(default=60.0, description="then journeys may still end for so long")
    population: Population = Population()
    journey: Journey = Journey()
    arrivals: Arrivals = Field(
        description="how customers come: a kind, such as poisson, and a rate, such as 10/s"
    )
    world: World = World()
    lender: LenderPolicy = LenderPolicy()
    topology: Topology = Field(
        default=Single(), description="single, sqlite-backup, postgres-standby or two-sites"
    )
    drill: Drill | None = Field(default=None, description="for `bindrill drill`")
    faults: tuple[AnyFault, ...] = Field(default=(), max_length=1000)
    objectives: tuple[Annotated[str, AfterValidator(_stated)], ...] = Field(
        default=(),
        max_length=1000,
        description="such as p95(confirm) < 800ms or success_rate >= 99%",
    )

    variants: tuple[Variant, ...] = Field(
        default=(),
        max_length=100,
        description="played on the same customers and random numbers, and compared",
    )

    @property
    def fault_timeline(self) -> tuple[Fault, ...]:
        """The faults of single targets, typed."""
        return tuple(part for fault in self.faults for part in fault.parts())
