"""What a plan holds: `plan.json`. Rates are per second, times seconds, money CNY fen, sizes 10^9
bytes, shares 0 to 1. Every interval is of 95 %."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from reports.run_folder import write_record

FILE = "plan.json"
GATEWAYS = ("bank", "sms", "payment")

Resource = Literal[
    "nodes",
    "connections_bank",
    "connections_sms",
    "connections_payment",
    "database_gb",
    "commits",
    "documents_gb",
    "sms_rate",
    "sms_month",
    "bank_rate",
    "bank_month",
    "payment_rate",
]
"""What a plan sizes. `nodes` of the lender; `connections_…` to each gateway, all nodes together;
`commits` durable database transactions a second; `…_rate` calls a second, `…_month` calls a month.
"""

End = Literal["low", "value", "high"]
"""The ends of a `Range`, and its value."""

CostPart = Literal["nodes", "database", "documents", "sms", "bank", "payment"]


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """A value and its interval."""

    low: float
    value: float
    high: float

    def times(self, factor: float) -> Range:
        """All three, `factor` times as large."""
        return Range(low=self.low * factor, value=self.value * factor, high=self.high * factor)


class NodeModel(msgspec.Struct, frozen=True, kw_only=True):
    """What one lender node carries by one model, in arrivals a second; None where it gives no such
    end. `trusted` says whether the model itself stands by it; `used` marks the one that the plan is
    sized by."""

    model: Literal["simulator", "utilisation", "Erlang C", "Allen-Cunneen", "live", "usl"]
    low: float | None
    value: float
    high: float | None
    trusted: bool = True
    used: bool = False


class CustomerNeeds(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer who arrives needs, as simulated in `replications` runs.

    `calls` by gateway; `billed`: messages sent, verifications, charges; `held`: mean seconds that a
    call holds its connection; `transactions`: durable ones; `bindings`: that become ACTIVE;
    `stored`: bytes in the database by table, its indexes included; `document_bytes`: of pictures.
    """

    replications: int
    calls: dict[str, Range]
    billed: dict[str, Range]
    held: dict[str, float]
    transactions: Range
    bindings: Range
    stored: dict[str, float]
    document_bytes: float


class Profile(CustomerNeeds, frozen=True, kw_only=True):
    """What plans are made of: a customer's needs, and a node of the lender.

    `node`: arrivals a second that one node carries; `connections`: of one node to each gateway.
    """

    node: Range
    connections: dict[str, int]

    @property
    def database_bytes(self) -> float:
        """Bytes in the database, all tables together."""
        return sum(self.stored.values())


def profile_of(needs: CustomerNeeds, node: Range, connections: dict[str, int]) -> Profile:
    """The profile of customers with these needs on nodes like this one."""
    own = {name: getattr(needs, name) for name in CustomerNeeds.__struct_fields__}
    return Profile(**own, node=node, connections=connections)


class Reserve(msgspec.Struct, frozen=True, kw_only=True):
    """What must be to spare: `headroom` over the peak, as a share; whether one fault at a time must
    be survived, which is a node fewer, or a bank that serves only `degraded` of its quota."""

    headroom: float
    fault: bool
    degraded: float


class MonthPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One month. `needed`: of each resource, reserve included; `bought`: what there is by
    then, bought for months ahead; `database_class`: its name, None where no class of the prices is
    large enough; `cost` by part.
    """

    month: str
    events: tuple[str, ...]
    applications: Range
    peak: Range
    needed: dict[Resource, Range]
    bought: dict[Resource, float]
    database_class: str | None
    cost: dict[CostPart, Range]

    @property
    def total(self) -> Range:
        """The month's cost: the parts' intervals added, as they come from the same demand."""
        parts = self.cost.values()
        return Range(
            low=sum(part.low for part in parts),
            value=sum(part.value for part in parts),
            high=sum(part.high for part in parts),
        )


class RunOut(msgspec.Struct, frozen=True, kw_only=True):
    """When today's `has` of a resource is less than needed: ISO dates at expected demand, at its
    high end (`early`) and low end (`late`); None: not within the plan. What fills up steadily has
    the day, what peaks decide has the first day of the month."""

    resource: Resource
    has: float
    date: str | None
    early: str | None
    late: str | None


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """A simulation of the set-up bought for a month, at its peak with headroom, in a fault: `node`,
    one lender node fewer; `bank`, the bank at its degraded share. `nodes` that worked; `missed`:
    objectives, with what was measured."""

    month: str
    fault: Literal["node", "bank"]
    nodes: int
    rate: float
    held: bool
    missed: tuple[str, ...]
    success_rate: float | None
    confirm_p95: float | None


class Swing(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of one assumption makes of the total cost (fen) and of the first run-out date.
    It is lowered and raised by `change`, a share of itself, or `points`: a share added to it."""

    name: Literal["growth", "peak_factor", "headroom", "service_time", "sms_per_customer", "prices"]
    change: float
    points: bool
    low_cost: float
    high_cost: float
    low_date: str | None
    high_date: str | None

    @property
    def size(self) -> float:
        """How far apart both ends of the cost are, fen."""
        return abs(self.high_cost - self.low_cost)


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Mean wait for a processor, seconds, with `nodes` at `rate` arrivals a second, by
    Allen-Cunneen: of one line for all nodes, as the simulator has it, and of a line a node; None
    where the line grows without end."""

    month: str
    nodes: int
    rate: float
    one_line: float | None
    line_each: float | None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A whole plan. `run_out` with the reserve, `bare` without any; both by resource, the first
    to run out first. `sized_by` is the model of `models` that the nodes come from."""

    format: int = 1
    scenario: str
    title: str
    seed: int
    command: str
    demand: str
    prices: str
    today: str
    uncertainty: float
    reserve: Reserve
    objectives: tuple[str, ...]
    dropped: tuple[str, ...]
    profile: Profile
    models: tuple[NodeModel, ...]
    usl_warnings: tuple[str, ...]
    has: dict[Resource, float]
    months: tuple[MonthPlan, ...]
    run_out: tuple[RunOut, ...]
    bare: tuple[RunOut, ...]
    confirmations: tuple[Confirmation, ...]
    waits: tuple[Wait, ...]
    swings: tuple[Swing, ...]

    @property
    def total(self) -> Range:
        """Cost of all months."""
        totals = [month.total for month in self.months]
        return Range(
            low=sum(total.low for total in totals),
            value=sum(total.value for total in totals),
            high=sum(total.high for total in totals),
        )

    @property
    def first_out(self) -> RunOut | None:
        """What of today's set-up runs out first; None when nothing does."""
        return next((each for each in self.run_out if each.date is not None), None)

    @property
    def confirmed(self) -> bool:
        """Whether every simulation of the plan held the objectives."""
        return all(each.held for each in self.confirmations)


def write_plan(plan: Plan, folder: Path) -> Path:
    """Write `plan.json`, whole or not at all."""
    return write_record(folder / FILE, plan, order="sorted")
