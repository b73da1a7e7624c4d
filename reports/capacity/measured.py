"""From one run's folder to one measure of a capacity search."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from reports.capacity.result import Measured, Percentiles
from reports.capacity.scaling import floors_scaled
from reports.capacity.usage import Counters, used, window_of
from reports.numbers import significant
from reports.objectives import all_hold, evaluate
from reports.recorder import scan_events
from reports.run_folder import Clock
from reports.summary_schema import Latency, Summary
from reports.untested import untested
from scenarios.arrivals import expected_arrivals
from scenarios.ceilings.judge import ceilings_met
from scenarios.schema import Scenario

MOST_CAUSES = 5


def measured(
    clock: Clock,
    scenario: Scenario,
    folder: Path,
    summary: Summary,
    counters: Counters,
    *,
    rate: float,
    number: int,
) -> Measured:
    """The measure of `scenario`, as played at `rate` into `folder`, with its objectives held
    against `summary`.

    Throughput is that of the second half, and its floors follow the number of customers who came:
    neither how long the first journeys take, nor how many came by chance, is a matter of capacity.
    """
    standing = msgspec.structs.replace(summary, throughput=_throughput(folder, scenario))
    arrived = max(1, summary.customers.issued)
    expected = expected_arrivals(scenario.arrivals, scenario.duration)
    outcomes = evaluate(floors_scaled(scenario.objectives, arrived / expected), standing)
    reason = untested(scenario, [summary])
    found = used(folder, scenario, counters)
    return Measured(
        clock=clock,
        rate=rate,
        number=number,
        seed=scenario.seed,
        held=all_hold(outcomes) and not reason,
        untested=reason,
        missed=tuple(outcome for outcome in outcomes if not outcome.holds),
        causes=summary.causes[:MOST_CAUSES],
        arrivals=summary.customers.issued,
        throughput=standing.throughput,
        success_rate=summary.success_rate,
        binding=_percentiles(summary.binding),
        requests=_requests(folder),
        lateness=summary.lateness.p99 if summary.lateness else None,
        steps={
            name: {
                "p50": step.latency.p50,
                "p90": step.latency.p90,
                "p95": step.latency.p95,
                "p99": step.latency.p99,
            }
            for name, step in summary.ordered_steps()
        },
        requests_per_arrival={
            name: significant(step.latency.count / arrived)
            for name, step in summary.ordered_steps()
            if name != "otp"
        },
        calls_per_arrival={
            gateway: significant(
                sum(op.calls for op in summary.gateways if op.gateway == gateway) / arrived
            )
            for gateway in sorted({op.gateway for op in summary.gateways})
        },
        concurrency=found.concurrency,
        times=found.times,
        usage=found.usage,
        limits=ceilings_met(folder),
    )


def _throughput(folder: Path, scenario: Scenario) -> float:
    begin, end = window_of(scenario.duration)
    bound = scan_events(folder).filter(
        (pl.col("kind") == "end")
        & (pl.col("state") == "ACTIVE")
        & pl.col("ended").is_between(begin, end, closed="left")
    )
    return significant(bound.select(pl.len()).collect().item() / (end - begin))


def _percentiles(latency: Latency | None) -> Percentiles | None:
    return Percentiles(p50=latency.p50, p95=latency.p95, p99=latency.p99) if latency else None


def _requests(folder: Path) -> Percentiles | None:
    rows = scan_events(folder).filter(pl.col("kind") == "request")
    took = rows.select(pl.col("ended") - pl.col("intended")).collect().to_series().to_numpy()
    if not len(took):
        return None
    p50, p95, p99 = (significant(float(q)) for q in np.quantile(took, (0.5, 0.95, 0.99)))
    return Percentiles(p50=p50, p95=p95, p99=p99)
