"""What `summary.json` holds: the numbers of one clock of one run.

Times are in seconds since the run began, latencies in seconds from the intended start, shares from
0 to 1, floats to 6 significant digits. The same events give the same bytes, whatever the number of
threads or of part files. `docs/reports.md` defines every figure.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from reports.replay_schema import Replay
from reports.resilience_schema import Resilience
from reports.run_folder import read_record, write_record
from scenarios.contract import OPERATIONS

LEVELS: tuple[float, ...] = (
    *(0.0, 0.001, 0.005, 0.01, 0.02, 0.05),
    *(number / 100 for number in range(10, 90, 5)),
    *(0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 0.998, 0.999, 0.9999, 1.0),
)
"""The levels of `Latency.quantiles`."""


STEP_ORDER: tuple[str, ...] = (*tuple(OPERATIONS)[:3], "otp", *tuple(OPERATIONS)[3:])
"""The steps as a customer meets them, for tables and figures."""


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution of at least one duration; percentiles interpolate linearly."""

    count: int
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    max: float
    quantiles: tuple[float, ...]


class Customers(msgspec.Struct, frozen=True, kw_only=True):
    """How many arrivals were `planned` (those issued, where the schedule's number is not known),
    `issued`, `ended`; `under_way` were issued and have no end."""

    planned: int
    issued: int
    ended: int
    under_way: int


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Customers who ended in `state` for `cause`, never ACTIVE; `share` is of all that ended."""

    state: str
    cause: str
    count: int
    share: float


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of the contract, every attempt, or the wait for a code (`otp`).

    `error_rate`: share answered 5xx or not at all; for `otp`, share of waits without a code.
    """

    latency: Latency
    error_rate: float
    codes: dict[str, int]


class FunnelStage(msgspec.Struct, frozen=True, kw_only=True):
    """Customers who `reached` a step (or a later one) and who `passed` it."""

    step: str
    reached: int
    passed: int


class GatewayOperation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of a gateway as the gateway saw it; `unanswered` calls have no latency."""

    gateway: str
    op: str
    calls: int
    unanswered: int
    codes: dict[str, int]
    latency: Latency | None


class FaultWindow(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of the scenario and what it did to the `steps` that lean on its target.

    `end` is None for a fault that lasts. `before` and `during` are success shares, None without
    requests. `time_to_recover` counts from the fault's end, in steps of `resolution` seconds; None
    when the service did not come back within the run. `struck`: how often it did what it does; None
    where nobody counted.
    """

    label: str
    kind: str
    target: str
    start: float
    end: float | None
    steps: tuple[str, ...]
    before: float | None
    during: float | None
    resolution: float
    time_to_recover: float | None
    struck: int | None = None


class InSystem(msgspec.Struct, frozen=True, kw_only=True):
    """Little's law, L = lambda W, over the run: `mean_number` L is observed at instants,
    `arrival_rate` and `mean_time` are those of the customers; `ratio` is L / (lambda W)."""

    mean_number: float
    arrival_rate: float
    mean_time: float
    ratio: float | None


class StepSeries(msgspec.Struct, frozen=True, kw_only=True):
    """One step by window of the intended start; None in windows without requests."""

    count: tuple[int, ...]
    errors: tuple[int, ...]
    p50: tuple[float | None, ...]
    p95: tuple[float | None, ...]
    p99: tuple[float | None, ...]


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Windows [i * width, (i + 1) * width). Arrivals count where they were planned and where they
    were issued, bindings and ends where they ended."""

    width: float
    offered: tuple[int, ...]
    issued: tuple[int, ...]
    active: tuple[int, ...]
    ended: tuple[int, ...]
    steps: dict[str, StepSeries]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """One clock of one run.

    `throughput`: bindings that became ACTIVE a second while customers arrived, [0, duration).
    `success_rate`: ACTIVE of those that ended; None when nobody did. `lateness`: issued minus
    planned, of each arrival. `binding`: planned arrival to ACTIVE. `resilience`: against the
    no-fault twin, where there is one. `replay`: against the recording that is played again.
    """

    duration: float
    customers: Customers
    states: dict[str, int]
    causes: tuple[Cause, ...]
    throughput: float
    success_rate: float | None
    binding: Latency | None
    steps: dict[str, Step]
    funnel: tuple[FunnelStage, ...]
    gateways: tuple[GatewayOperation, ...]
    lateness: Latency | None
    faults: tuple[FaultWindow, ...]
    in_system: InSystem | None
    series: Series
    resilience: Resilience | None = None
    replay: Replay | None = None

    def ordered_steps(self) -> list[tuple[str, Step]]:
        """The steps that were taken, in STEP_ORDER."""
        return [(step, self.steps[step]) for step in STEP_ORDER if step in self.steps]


def write_summary(summary: Summary, clock_folder: Path) -> Path:
    """Write `summary.json`, whole or not at all."""
    return write_record(clock_folder / "summary.json", summary, order="sorted")


def read_summary(clock_folder: Path) -> Summary:
    """Read `summary.json`. Raises RunProblem when there is none, or an unreadable one."""
    path = clock_folder / "summary.json"
    return read_record(path, Summary, missing=f"{clock_folder} holds no summary.json")
