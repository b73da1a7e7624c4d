"""From the events of one clock to its summary, lazily, so that a day of customers fits."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from reports.numbers import significant
from reports.recorder import scan_events
from reports.recovery import fault_windows
from reports.replay import replay
from reports.resilience import resilience
from reports.summary_schema import (
    LEVELS,
    Cause,
    Customers,
    FunnelStage,
    GatewayOperation,
    InSystem,
    Latency,
    Series,
    Step,
    StepSeries,
    Summary,
)
from scenarios.contract import STEPS
from scenarios.schema import Scenario

MOST_WINDOWS = 120
_WIDTHS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600)
_INSTANTS = 1000

_TOOK = pl.col("ended") - pl.col("intended")
_UNSERVED = (pl.col("status") == 0) | (pl.col("status") >= 500)
_FAILED = _UNSERVED | ((pl.col("kind") == "otp") & (pl.col("code") != "READ"))


def summarise(clock_folder: Path, scenario: Scenario, *, planned: int | None = None) -> Summary:
    """The numbers of the events in `clock_folder`. `planned`: arrivals scheduled, where known.

    Warns `UnreadablePart` for each part file that is left out.
    """
    events = scan_events(clock_folder)
    arrivals = events.filter(pl.col("kind") == "arrival")
    ends = events.filter(pl.col("kind") == "end")
    steps = events.filter(pl.col("kind").is_in(["request", "otp"]))
    calls = events.filter(pl.col("kind") == "call")

    late = _collect(arrivals.select(took=pl.col("started") - pl.col("intended")))["took"]
    active = _collect(ends.filter(pl.col("state") == "ACTIVE").select("ended", took=_TOOK))
    endings = _collect(ends.group_by("state", "cause").agg(pl.len()))
    issued, ended = len(late), int(endings["len"].sum())
    bound = int((active["ended"] < scenario.duration).sum())
    measured = _steps(steps)
    by_state = endings.group_by("state").agg(pl.col("len").sum()).sort("state")

    return Summary(
        duration=scenario.duration,
        customers=Customers(
            planned=issued if planned is None else planned,
            issued=issued,
            ended=ended,
            under_way=max(0, issued - ended),
        ),
        states=dict(by_state.rows()),
        causes=_causes(endings, ended),
        throughput=significant(bound / scenario.duration) if scenario.duration else 0.0,
        success_rate=significant(len(active) / ended) if ended else None,
        binding=distribution(active["took"].to_numpy()),
        steps=measured,
        funnel=_funnel(events),
        gateways=_gateways(calls),
        lateness=distribution(late.to_numpy()),
        faults=fault_windows(events, scenario.fault_timeline),
        in_system=_in_system(arrivals, ends),
        series=_series(arrivals, ends, steps, measured, scenario.duration),
        resilience=resilience(clock_folder, scenario),
        replay=replay(events, scenario),
    )


def distribution(values: NDArray[np.float64]) -> Latency | None:
    """The distribution of `values` in seconds; None of no values."""
    if not len(values):
        return None
    # Sorted first: a mean must not depend on the order of summation.
    ordered = np.sort(values)
    p50, p90, p95, p99 = np.quantile(ordered, (0.5, 0.9, 0.95, 0.99))
    return Latency(
        count=len(ordered),
        mean=significant(float(ordered.mean())),
        p50=significant(float(p50)),
        p90=significant(float(p90)),
        p95=significant(float(p95)),
        p99=significant(float(p99)),
        max=significant(float(ordered[-1])),
        quantiles=tuple(significant(float(q)) for q in np.quantile(ordered, LEVELS)),
    )


def _collect(frame: pl.LazyFrame) -> pl.DataFrame:
    return frame.collect(engine="streaming")


def _durations(rows: pl.LazyFrame) -> Latency | None:
    # One group at a time: a day's run has tens of millions of durations.
    return distribution(_collect(rows.select(took=_TOOK))["took"].to_numpy())


def _causes(endings: pl.DataFrame, ended: int) -> tuple[Cause, ...]:
    failed = endings.filter(pl.col("state") != "ACTIVE")
    ordered = failed.sort("len", "state", "cause", descending=[True, False, False])
    return tuple(
        Cause(state=state, cause=cause, count=count, share=significant(count / ended))
        for state, cause, count in ordered.rows()
    )


def _steps(steps: pl.LazyFrame) -> dict[str, Step]:
    failures = dict(_collect(steps.group_by("step").agg(_FAILED.sum())).rows())
    codes = _codes(steps, "step")
    found: dict[str, Step] = {}
    for step in sorted(failures):
        latency = _durations(steps.filter(pl.col("step") == step))
        assert latency is not None  # noqa: S101 — the step has at least one row
        found[step] = Step(
            latency=latency,
            error_rate=significant(failures[step] / latency.count),
            codes=codes[(step,)],
        )
    return found


def _codes(rows: pl.LazyFrame, *keys: str) -> dict[tuple[str, ...], dict[str, int]]:
    counted = _collect(rows.group_by(*keys, "code").agg(pl.len())).sort(*keys, "code")
    found: dict[tuple[str, ...], dict[str, int]] = {}
    for *key, code, count in counted.rows():
        found.setdefault(tuple(key), {})[code] = count
    return found


def _funnel(events: pl.LazyFrame) -> tuple[FunnelStage, ...]:
    # A customer's level: 2i + 1 for having reached step i, 2i + 2 for having passed it. Customers
    # are numbered from 0, so an array does what a hash table would need far more room for.
    done = (pl.col("code") == "READ") | pl.col("status").is_in([200, 201, 204])
    highest = np.zeros(0, np.int8)
    for i, step in enumerate(STEPS):
        # Payment is passed by becoming ACTIVE alone, since an accepted charge may still fail.
        passed = done & (pl.col("step") != STEPS[-1])
        rows = events.filter(pl.col("step") == step, pl.col("customer") >= 0)
        highest = _raised(highest, rows.select("customer", level=2 * i + 1 + passed.cast(pl.Int8)))
    active = events.filter(pl.col("kind") == "end", pl.col("state") == "ACTIVE")
    highest = _raised(highest, active.select("customer", level=pl.lit(2 * len(STEPS))))

    def at_least(wanted: int) -> int:
        return int((highest >= wanted).sum())

    return tuple(
        FunnelStage(step=step, reached=at_least(2 * i + 1), passed=at_least(2 * i + 2))
        for i, step in enumerate(STEPS)
    )


def _raised(highest: NDArray[np.int8], rows: pl.LazyFrame) -> NDArray[np.int8]:
    found = _collect(rows.with_columns(pl.col("level").cast(pl.Int8)))
    if found.is_empty():
        return highest
    customers = found["customer"].to_numpy()
    raised = np.zeros(max(len(highest), int(customers.max()) + 1), np.int8)
    raised[: len(highest)] = highest
    np.maximum.at(raised, customers, found["level"].to_numpy())
    return raised


def _gateways(calls: pl.LazyFrame) -> tuple[GatewayOperation, ...]:
    answered = calls.filter(pl.col("ended").is_finite())
    found: list[GatewayOperation] = []
    for (gateway, op), codes in _codes(calls, "gateway", "step").items():
        here = (pl.col("gateway") == gateway) & (pl.col("step") == op)
        latency = _durations(answered.filter(here))
        total = sum(codes.values())
        found.append(
            GatewayOperation(
                gateway=gateway,
                op=op,
                calls=total,
                unanswered=total - (latency.count if latency else 0),
                codes=codes,
                latency=latency,
            )
        )
    return tuple(found)


def _in_system(arrivals: pl.LazyFrame, ends: pl.LazyFrame) -> InSystem | None:
    arrived = np.sort(_collect(arrivals.select("intended"))["intended"].to_numpy())
    left = _collect(ends.select("ended", took=_TOOK))
    if not len(arrived) or left.is_empty():
        return None
    ended = np.sort(left["ended"].to_numpy())
    mean_time = float(np.sort(left["took"].to_numpy()).mean())
    until = max(float(arrived[-1]), float(ended[-1]))
    if until <= 0 or mean_time <= 0:
        return None
    instants = (np.arange(_INSTANTS) + 0.5) * (until / _INSTANTS)
    present = np.searchsorted(arrived, instants, "right") - np.searchsorted(
        ended, instants, "right"
    )
    number, rate = float(present.mean()), len(arrived) / until
    return InSystem(
        mean_number=significant(number),
        arrival_rate=significant(rate),
        mean_time=significant(mean_time),
        ratio=significant(number / (rate * mean_time)),
    )


def _series(
    arrivals: pl.LazyFrame,
    ends: pl.LazyFrame,
    steps: pl.LazyFrame,
    names: Iterable[str],
    duration: float,
) -> Series:
    width = float(next((w for w in _WIDTHS if duration / w < MOST_WINDOWS), _WIDTHS[-1]))
    last = _collect(ends.select(pl.col("ended").max())).item() or 0.0
    windows = max(1, math.ceil(duration / width), int(last // width) + 1)

    def window(time: str) -> pl.Expr:
        return (pl.col(time) / width).floor().cast(pl.Int64).clip(0, windows - 1).alias("window")

    def count(rows: pl.LazyFrame, time: str) -> tuple[int, ...]:
        counted = dict(_collect(rows.group_by(window(time)).agg(pl.len())).rows())
        return tuple(counted.get(number, 0) for number in range(windows))

    def of(step: str) -> StepSeries:
        rows = _collect(
            steps.filter(pl.col("step") == step)
            .group_by(window("intended"))
            .agg(
                pl.len(),
                _FAILED.sum().alias("errors"),
                *(_TOOK.quantile(q, "linear").alias(f"p{q}") for q in (0.5, 0.95, 0.99)),
            )
        ).rows()
        at = {number: columns for number, *columns in rows}
        table = [at.get(number, [0, 0, None, None, None]) for number in range(windows)]
        counts, errors, *percentiles = zip(*table, strict=True)
        p50, p95, p99 = (tuple(_rounded(value) for value in column) for column in percentiles)
        return StepSeries(count=counts, errors=errors, p50=p50, p95=p95, p99=p99)

    return Series(
        width=width,
        offered=count(arrivals, "intended"),
        issued=count(arrivals, "started"),
        active=count(ends.filter(pl.col("state") == "ACTIVE"), "ended"),
        ended=count(ends, "ended"),
        steps={step: of(step) for step in names},
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else significant(value)
