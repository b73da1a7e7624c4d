"""From the events of one clock to its summary, part by part, so that a day of customers fits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from reports.counted import Counted
from reports.durations import by_kind, quantiles, whole
from reports.numbers import significant
from reports.recorder import readable_parts, scan_events
from reports.recovery import fault_windows
from reports.replay import replay
from reports.resilience import resilience
from reports.strikes import read_strikes
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
_BLOCK = 500_000
"""Times that are counted at once, so that what is made of them stays small."""


def summarise(clock_folder: Path, scenario: Scenario, *, planned: int | None = None) -> Summary:
    """The numbers of the events in `clock_folder`. `planned`: arrivals scheduled, where known.

    Warns `UnreadablePart` for each part file that is left out.
    """
    parts = readable_parts(clock_folder)
    width = _width(scenario.duration)
    counted = Counted(parts, width)
    issued, ended = len(counted.arrived), len(counted.ended)
    active = counted.ended[counted.bound]
    bound, ever_bound = int((active < scenario.duration).sum()), len(active)
    binding = distribution(counted.took[counted.bound])
    number = _windows(counted, scenario.duration, width)
    series = _flows(counted, active, number, width)
    del active
    lateness = distribution(counted.late)
    in_system = _in_system(counted)
    # All times of arrivals and ends are told: a day has a hundred megabytes of them.
    counted.forget_times()
    steps, of_steps = _steps(parts, counted, number, width)
    events = scan_events(clock_folder)

    return Summary(
        duration=scenario.duration,
        customers=Customers(
            planned=issued if planned is None else planned,
            issued=issued,
            ended=ended,
            under_way=max(0, issued - ended),
        ),
        states=_states(counted),
        causes=_causes(counted, ended),
        throughput=significant(bound / scenario.duration) if scenario.duration else 0.0,
        success_rate=significant(ever_bound / ended) if ended else None,
        binding=binding,
        steps=steps,
        funnel=_funnel(counted),
        gateways=_gateways(parts, counted),
        lateness=lateness,
        faults=fault_windows(events, scenario.fault_timeline, read_strikes(clock_folder)),
        in_system=in_system,
        series=msgspec.structs.replace(series, steps=of_steps),
        resilience=resilience(clock_folder, scenario),
        replay=replay(events, scenario),
    )


def distribution(values: NDArray[np.float64]) -> Latency | None:
    """The distribution of `values` in seconds, which are sorted in place; None of no values."""
    if not len(values):
        return None
    # Sorted first: a mean must not depend on the order of summation.
    values.sort()
    p50, p90, p95, p99 = quantiles(values, (0.5, 0.9, 0.95, 0.99))
    return Latency(
        count=len(values),
        mean=significant(float(values.mean())),
        p50=significant(float(p50)),
        p90=significant(float(p90)),
        p95=significant(float(p95)),
        p99=significant(float(p99)),
        max=significant(float(values[-1])),
        quantiles=tuple(significant(float(q)) for q in quantiles(values, LEVELS)),
    )


def _width(duration: float) -> float:
    return float(next((w for w in _WIDTHS if duration / w < MOST_WINDOWS), _WIDTHS[-1]))


def _windows(counted: Counted, duration: float, width: float) -> int:
    last = float(counted.ended.max()) if len(counted.ended) else 0.0
    return max(1, math.ceil(duration / width), int(last // width) + 1)


def _states(counted: Counted) -> dict[str, int]:
    states: dict[str, int] = {}
    for (state, _), count in sorted(counted.endings.items()):
        states[state] = states.get(state, 0) + count
    return states


def _causes(counted: Counted, ended: int) -> tuple[Cause, ...]:
    failed = [(-n, state, cause) for (state, cause), n in counted.endings.items()]
    return tuple(
        Cause(state=state, cause=cause, count=-n, share=significant(-n / ended))
        for n, state, cause in sorted(failed)
        if state != "ACTIVE"
    )


def _steps(
    parts: Sequence[Path], counted: Counted, number: int, width: float
) -> tuple[dict[str, Step], dict[str, StepSeries]]:
    """Every step's figures, whole and by window."""
    counts: dict[tuple[str, str], list[int]] = {}
    failures: dict[str, list[int]] = {}
    for (step, window), count in counted.requests.items():
        at = min(window, number - 1)
        counts.setdefault(("", step), [0] * number)[at] += count
        failures.setdefault(step, [0] * number)[at] += counted.failures[step, window]
    codes = _by(counted.codes.items())
    steps: dict[str, Step] = {}
    series: dict[str, StepSeries] = {}
    for (_, step), windows in by_kind(parts, counts, width, of=_of_customers):
        percentiles = [_percentiles(window) for window in windows]
        latency = distribution(whole(windows))
        assert latency is not None  # noqa: S101 — the step has at least one row
        steps[step] = Step(
            latency=latency,
            error_rate=significant(sum(failures[step]) / latency.count),
            codes=codes[(step,)],
        )
        p50, p95, p99 = zip(*percentiles, strict=True)
        series[step] = StepSeries(
            count=tuple(counts["", step]), errors=tuple(failures[step]), p50=p50, p95=p95, p99=p99
        )
    return steps, series


def _of_customers(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("kind").is_in(["request", "otp"]))


def _percentiles(values: NDArray[np.float64]) -> tuple[float | None, float | None, float | None]:
    if not len(values):
        return (None, None, None)
    values.sort()
    p50, p95, p99 = (significant(float(q)) for q in quantiles(values, (0.5, 0.95, 0.99)))
    return p50, p95, p99


def _by(counter: Iterable[tuple[tuple[str, ...], int]]) -> dict[tuple[str, ...], dict[str, int]]:
    """Counts by code, in its order, for each of what comes before the code in the key."""
    found: dict[tuple[str, ...], dict[str, int]] = {}
    for (*key, code), count in sorted(counter):
        found.setdefault(tuple(key), {})[code] = count
    return found


def _funnel(counted: Counted) -> tuple[FunnelStage, ...]:
    def at_least(wanted: int) -> int:
        return int((counted.levels >= wanted).sum())

    return tuple(
        FunnelStage(step=step, reached=at_least(2 * i + 1), passed=at_least(2 * i + 2))
        for i, step in enumerate(STEPS)
    )


def _gateways(parts: Sequence[Path], counted: Counted) -> tuple[GatewayOperation, ...]:
    counts = {kind: [finite] for kind, finite in counted.answered.items() if finite}
    latency = {
        kind: distribution(whole(windows))
        for kind, windows in by_kind(parts, counts, math.inf, of=_answered)
    }
    found: list[GatewayOperation] = []
    for (gateway, op), codes in _by(counted.calls.items()).items():
        total = sum(codes.values())
        found.append(
            GatewayOperation(
                gateway=gateway,
                op=op,
                calls=total,
                unanswered=total - counted.answered[gateway, op],
                codes=codes,
                latency=latency.get((gateway, op)),
            )
        )
    return tuple(found)


def _answered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter((pl.col("kind") == "call") & pl.col("ended").is_finite())


def _in_system(counted: Counted) -> InSystem | None:
    # Sorts the times in place, each for itself: they are told after this.
    if not len(counted.arrived) or not len(counted.ended):
        return None
    arrived, ended, took = counted.arrived, counted.ended, counted.took
    for times in (arrived, ended, took):
        times.sort()
    mean_time = float(took.mean())
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


def _flows(counted: Counted, active: NDArray[np.float64], number: int, width: float) -> Series:
    def count(*times: NDArray[np.float64]) -> tuple[int, ...]:
        counts = np.zeros(number, np.int64)
        for start in range(0, len(times[0]), _BLOCK):
            at = sum(part[start : start + _BLOCK] for part in times)
            windows = np.clip(np.floor(at / width), 0, number - 1).astype(np.int64)
            counts += np.bincount(windows, minlength=number)
        return tuple(counts.tolist())

    return Series(
        width=width,
        offered=count(counted.arrived),
        issued=count(counted.arrived, counted.late),
        active=count(active),
        ended=count(counted.ended),
        steps={},
    )
