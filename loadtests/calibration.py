"""From a live run's measurements to the service times that the simulator needs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl

from loadtests.lender_timings import lender_timings
from loadtests.live_run import drive
from loadtests.stack import Stack
from reports.progress import Progress
from reports.recorder import scan_events
from scenarios.calibration import Calibration
from scenarios.ceilings.judge import ceilings_met, in_words
from scenarios.ceilings.met import Met
from scenarios.distributions import Z99, Delay, lognormal
from scenarios.schema import Scenario

FLOOR = 0.00005
"""Seconds below which a measured time is noise."""

KEPT = 0.95
"""Share of the measurements, the shortest, that means are taken of."""

FEWEST = 20
"""Measurements that a distribution needs; operations with fewer share the one called `*`."""


_Z90 = NormalDist().inv_cdf(0.9)


class AtTestbedLimit(Exception):
    """The testbed met a ceiling of its own; the message says which, and what to do."""

    def __init__(self, limits: Iterable[Met]) -> None:
        super().__init__(
            f"the testbed was the limit: {in_words(limits)}; measure at a lower --rate, or raise it"
        )


class TooFewMeasurements(Exception):
    """The run was too short to measure; the message says what to do."""


def measure(
    scenario: Scenario,
    folder: Path,
    measured: str,
    on_progress: Callable[[Progress], None],
) -> Calibration | None:
    """Play `scenario` live, with events below `folder`, and fit what the lender measured.

    None when interrupted. Raises StackProblem, AtTestbedLimit, TooFewMeasurements.
    """
    with Stack(scenario, folder) as stack:
        stack.start()
        if drive(stack, scenario, folder, on_progress=on_progress) == "interrupted":
            return None
        timings = lender_timings(stack.admin_urls["lender"])
    if limits := ceilings_met(folder):
        raise AtTestbedLimit(limits)
    return calibration(timings, folder, measured)


def stretched(delay: Delay, factor: float) -> Delay:
    """The delay `factor` times as long, not below the noise."""
    return _delay(delay.p50 * factor, delay.p99 * factor)


def calibration(timings: Sequence[Sequence[Any]], clock_folder: Path, measured: str) -> Calibration:
    """The calibration that a light live run's `timings` (rows of the lender's
    `/__admin/timings`) and events give.

    - service: time in a request beside gateway calls, commits and lines, by operation;
    - commit: time waited for a commit, for each commit;
    - call_overhead: a gateway call's duration less the gateway's own delay;
    - network: a request's duration at the customer less that at the lender.

    The last two compare distributions, level by level: single calls cannot be matched without
    naming customers. Raises TooFewMeasurements.
    """
    service: dict[str, list[float]] = defaultdict(list)
    totals: list[float] = []
    commits: list[float] = []
    calls: list[float] = []
    for row in timings:
        if row[0] == "request":
            _, op, _, total, in_calls, in_commits, in_lines, commit_count = row
            service[op].append(total - in_calls - in_commits - in_lines)
            totals.append(total)
            if commit_count:
                commits.append(in_commits / commit_count)
        elif row[5] == "OK":
            calls.append(row[4])
    events = scan_events(clock_folder)
    answered = pl.col("status") > 0
    seen = _column(events.filter((pl.col("kind") == "request") & answered))
    delays = _column(events.filter((pl.col("kind") == "call") & pl.col("ended").is_finite()))
    everything = [seconds for found in service.values() for seconds in found]
    if min(len(everything), len(commits), len(calls), len(seen), len(delays)) < FEWEST:
        raise TooFewMeasurements(
            f"only {len(seen)} requests were measured; give --duration or --rate more"
        )
    by_operation = {op: _fit(found) for op, found in service.items() if len(found) >= FEWEST}
    return Calibration(
        measured=measured,
        network=_difference(seen, totals),
        service={"*": _fit(everything), **dict(sorted(by_operation.items()))},
        commit=_fit(commits),
        call_overhead=_difference(calls, delays),
    )


def _column(events: pl.LazyFrame) -> list[float]:
    latency = events.select(pl.col("ended") - pl.col("started")).collect()
    return latency.to_series().to_list()


def _fit(seconds: Sequence[float]) -> Delay:
    # Through the median and the 90th percentile: one stall of the disk in a short run would make a
    # measured 99th a tail that every request then draws from.
    median = max(FLOOR, float(np.quantile(seconds, 0.5)))
    p90 = max(median, float(np.quantile(seconds, 0.9)))
    return _delay(median, median * (p90 / median) ** (Z99 / _Z90))


def _difference(longer: Sequence[float], shorter: Sequence[float]) -> Delay:
    # Means subtract exactly and medians nearly; high percentiles do not. The two fix a log-normal:
    # mean = median * exp(sigma ** 2 / 2). Means are trimmed, for the same reason as above.
    median = max(FLOOR, float(np.quantile(longer, 0.5) - np.quantile(shorter, 0.5)))
    mean = max(median, _trimmed_mean(longer) - _trimmed_mean(shorter))
    sigma = math.sqrt(2 * math.log(mean / median))
    return _delay(median, median * math.exp(Z99 * sigma))


def _trimmed_mean(seconds: Sequence[float]) -> float:
    found = np.sort(np.asarray(seconds))
    return float(found[: math.ceil(len(found) * KEPT)].mean())


def _delay(median: float, p99: float) -> Delay:
    median = round(max(median, FLOOR), 6)
    return lognormal(median, round(max(p99, median), 6))
