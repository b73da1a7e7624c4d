"""What a capacity search found: `capacity.json`. Rates are arrivals a second, times seconds, shares
and utilisations 0 to 1."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import msgspec

from reports.capacity.bounds import Bound
from reports.capacity.usl import UslFit
from reports.objectives import Outcome
from reports.run_folder import Clock, RunProblem, write_record
from reports.summary_schema import Cause
from scenarios.ceilings.met import Met

FILE = "capacity.json"

LimitState = Literal["found", "always", "never", "limited", "unsettled", "interrupted"]
"""As `reports.capacity.search.State`; `interrupted`: Ctrl-C, or the time was up."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """How busy a resource was, on average over the second half of the arrivals' time.

    `used`: 1 is all of it, and more is not shown as more. `detail` says what of what, such as
    `12.3 of 64 places`; `refused` is the share of calls that the resource turned away.
    """

    resource: str
    used: float
    detail: str = ""
    refused: float = 0.0


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """Of one kind of duration."""

    p50: float
    p95: float
    p99: float


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """Of the lender, for each request of a customer: the `whole` time of the request, the waits for
    durable commits, and the calls by gateway. Commits and calls beside a request, as those of
    callbacks and of the refund, count too, so the parts may be more than the whole."""

    whole: float
    commits: float
    calls: dict[str, float]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One measure: the scenario at `rate`. `number` counts the measures of one rate from 0.

    `throughput`: bindings that became ACTIVE a second in the second half of the arrivals' time,
    when the first journeys have filled every step. `concurrency`: requests in progress at the
    lender then, on average.
    `requests`: latency of all requests of customers, from the intended start. `lateness`: p99 of
    how late arrivals were issued. `steps`: percentiles (`p50`, `p90`, `p95`, `p99`) by step;
    `requests_per_arrival` by step, `calls_per_arrival` by gateway. `limits`: ceilings of the
    testbed's own that were met, which says nothing of the system under test. `untested`: why it
    does not hold although no objective was missed, such as a fault that struck nobody at so low a
    rate.
    """

    clock: Clock
    rate: float
    number: int
    seed: int
    held: bool
    missed: tuple[Outcome, ...]
    causes: tuple[Cause, ...]
    arrivals: int
    throughput: float
    success_rate: float | None
    binding: Percentiles | None
    requests: Percentiles | None
    lateness: float | None
    steps: dict[str, dict[str, float]]
    requests_per_arrival: dict[str, float]
    calls_per_arrival: dict[str, float]
    concurrency: float
    times: Times | None
    usage: tuple[Usage, ...]
    limits: tuple[Met, ...] = ()
    untested: str = ""

    def used(self, resource: str) -> Usage | None:
        """The usage of one resource, if it was measured."""
        return next((usage for usage in self.usage if usage.resource == resource), None)


class Bottleneck(msgspec.Struct, frozen=True, kw_only=True):
    """The resource that saturates first, how busy it was at the lowest failing rate, whether that
    is saturation at all (if not, it is only the busiest), and why it was named."""

    resource: str
    used: float
    saturated: bool
    why: str


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """The limit in one clock: the objectives hold at `low` and fail at `high`; None where no
    measured rate does. `lowest` and `highest` bound the search. With `confidence` no decision of
    the search was wrong (`reports.capacity.search`). `beyond` are measures in which the testbed was
    the limit: they are no measures of the system, and not among `measures`."""

    clock: Clock
    state: LimitState
    low: float | None
    high: float | None
    lowest: float
    highest: float
    confidence: float
    lead: int
    measures: tuple[Measured, ...]
    bottleneck: Bottleneck | None
    usl: UslFit | None = None
    beyond: tuple[Measured, ...] = ()

    @property
    def rate(self) -> float | None:
        """The geometric mean of both ends; None without both, and where the testbed was the
        limit."""
        if self.state == "limited" or self.low is None or self.high is None:
            return None
        return math.sqrt(self.low * self.high)

    @property
    def untested(self) -> str:
        """Why nothing was tested at the lowest rate, where nothing was found to hold; empty if the
        objectives decided."""
        if self.low is not None or not self.measures:
            return ""
        lightest = self.at(self.rates[0])
        return lightest[0].untested if all(each.untested for each in lightest) else ""

    def at(self, rate: float) -> tuple[Measured, ...]:
        """The measures of one rate, in their order."""
        return tuple(each for each in self.measures if each.rate == rate)

    @property
    def rates(self) -> list[float]:
        """The rates that were measured, rising."""
        return sorted({each.rate for each in self.measures})


class Capacity(msgspec.Struct, frozen=True, kw_only=True):
    """Both clocks of one search. `objectives` are those of the scenario, `own_rate` the rate that
    their throughput floors are meant for."""

    format: int = 1
    scenario: str
    title: str
    seed: int
    duration: float
    own_rate: float
    precision: float
    objectives: tuple[str, ...]
    started: str
    command: str
    machine: dict[str, str]
    calibration: str
    limits: tuple[Limit, ...]
    bounds: tuple[Bound, ...] = ()

    def limit(self, clock: Clock) -> Limit | None:
        """The limit in one clock, if it was searched there."""
        return next((limit for limit in self.limits if limit.clock == clock), None)

    @property
    def ratio(self) -> float | None:
        """The predicted limit over the measured one; None without both."""
        sim, live = self.limit("sim"), self.limit("live")
        if sim is None or live is None or sim.rate is None or live.rate is None:
            return None
        return sim.rate / live.rate


def write_capacity(capacity: Capacity, folder: Path) -> Path:
    """Write `capacity.json`, whole or not at all."""
    return write_record(folder / FILE, capacity, order="sorted")


def read_capacity(folder: Path) -> Capacity:
    """Read `capacity.json`. Raises RunProblem when there is none, or an unreadable one."""
    path = folder / FILE
    try:
        content = msgspec.json.decode(path.read_bytes())
        return msgspec.convert(_with_infinities(content), Capacity)
    except FileNotFoundError:
        raise RunProblem(
            f"{folder} holds no {FILE}; give a folder of `bindrill capacity`"
        ) from None
    except (OSError, msgspec.MsgspecError) as error:
        raise RunProblem(f"{path} cannot be read: {error}") from None


def _with_infinities(content: Any) -> Any:
    """The law's estimates may be infinite, which JSON has no number for: they are null there."""
    limits = content.get("limits") if isinstance(content, dict) else None
    for limit in limits if isinstance(limits, list) else ():
        for estimate in (limit.get("usl") or {}).values():
            if isinstance(estimate, dict):
                estimate |= {end: math.inf for end, value in estimate.items() if value is None}
    return content
