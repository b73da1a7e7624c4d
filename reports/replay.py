"""A replay against its recording: what the gateways did, row by row."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from reports.numbers import significant
from reports.replay_schema import Replay, ReplaySeries
from scenarios.arrivals import rate_at
from scenarios.faults.recorded_series import RecordedSeries
from scenarios.incident import MAIN_OPERATION
from scenarios.schema import Scenario

TOLERANCES: dict[str, float] = {"rate": 0.15, "p50": 0.15, "p99": 0.30, "error_share": 0.02}
"""Relative, of an error share in points. Chance alone moves a p99 of 200 calls by some 15 %."""
FEWEST_CALLS: dict[str, int] = {"p50": 20, "p99": 100, "error_share": 20}
"""Rows with fewer calls are not judged."""
SMOOTH = 5
"""Rows over which both series are averaged before they are compared."""
CHANCE = 3.0
"""Standard deviations that counts may be off by chance, where that is more than their tolerance:
arrivals, as a Poisson count, with fewer than 400 customers in an average; shares of errors, as a
binomial one, with fewer than 5,625 calls at a share of one half."""

_Row = NDArray[np.float64]


def replay(events: pl.LazyFrame, scenario: Scenario) -> Replay | None:
    """The replay of a scenario with `recorded-series` faults; None for others."""
    faults = [f for f in scenario.fault_timeline if isinstance(f, RecordedSeries)]
    if not faults:
        return None
    step = faults[0].step
    series = [_arrivals(events, scenario, step)]
    for fault in faults:
        series += _gateway(events, fault, scenario.duration)
    shares = [each.share for each in series if each.share is not None]
    return Replay(
        step=step, replayed=significant(min(shares)) if shares else None, series=tuple(series)
    )


def _arrivals(events: pl.LazyFrame, scenario: Scenario, step: float) -> ReplaySeries:
    rows = _rows(scenario.duration, step)
    counted = _by_row(events.filter(pl.col("kind") == "arrival"), 0.0, step, pl.len().alias("n"))
    numbers = [counted[row][0] if row in counted else 0 for row in range(rows)]
    # The end of arrivals may cut the last row short; it counts for as much as there is of it.
    played = np.minimum(step, scenario.duration - step * np.arange(rows))
    found = np.array(numbers, dtype=float) / played
    recorded = np.array(
        [
            rate_at(scenario.arrivals, row * step + length / 2, scenario.duration)
            for row, length in enumerate(played.tolist())
        ]
    )
    expected = _windowed(recorded * played)
    return _series(
        "customers",
        "rate",
        recorded,
        found,
        np.ones(rows, dtype=bool),
        _relative,
        weights=played / step,
        by_chance=CHANCE / np.sqrt(np.maximum(expected, 1)),
    )


def _rows(seconds: float, step: float) -> int:
    """How many rows have begun within `seconds`; one that rounding alone begins does not count."""
    return max(0, math.ceil(round(seconds / step, 9)))


def _gateway(events: pl.LazyFrame, fault: RecordedSeries, duration: float) -> list[ReplaySeries]:
    took = pl.col("ended") - pl.col("intended")
    failed = (pl.col("status") == 0) | (pl.col("status") >= 500)
    calls = events.filter(
        (pl.col("kind") == "call")
        & (pl.col("gateway") == fault.target)
        & (pl.col("step") == MAIN_OPERATION[fault.target])
    )
    counted = _by_row(
        calls,
        fault.start,
        fault.step,
        pl.len().alias("n"),
        failed.sum().alias("failed"),
        *(took.filter(took.is_finite()).quantile(q, "linear").alias(str(q)) for q in (0.5, 0.99)),
    )
    rows = min(fault.rows, _rows(duration - fault.start, fault.step))
    table = np.array([counted.get(row, (0, 0, None, None)) for row in range(rows)], dtype=float)
    number, errors, p50, p99 = table.reshape(rows, 4).T
    found = []
    for measure, recorded, replayed in (
        ("p50", fault.p50, p50),
        ("p99", fault.p99, p99),
        ("error_share", fault.error_share, errors / np.maximum(number, 1)),
    ):
        if recorded:
            known = number >= FEWEST_CALLS[measure]
            there = np.array(recorded[:rows], dtype=float)
            weighed = measure == "error_share"
            found.append(
                _series(
                    fault.target,
                    measure,
                    there,
                    replayed,
                    known,
                    _points if weighed else _relative,
                    weights=number if weighed else None,
                    by_chance=_of_shares(there, number) if weighed else None,
                )
            )
    return found


def _of_shares(recorded: _Row, number: _Row) -> _Row:
    """How far a share of errors may be off by chance, where so many calls were made."""
    share = _smooth(recorded, np.where(np.isfinite(recorded), number, 0.0))
    return CHANCE * np.sqrt(share * (1 - share) / np.maximum(_windowed(number), 1))


def _by_row(
    rows: pl.LazyFrame, start: float, step: float, *measures: pl.Expr
) -> dict[int, Sequence[float | None]]:
    row = ((pl.col("intended") - start) / step).floor().cast(pl.Int64).alias("row")
    table = rows.group_by(row).agg(*measures).collect(engine="streaming").rows()
    return {number: values for number, *values in table}


def _series(
    of: str,
    measure: str,
    recorded: _Row,
    replayed: _Row,
    known: NDArray[np.bool_],
    deviation: Callable[[_Row, _Row], _Row],
    weights: _Row | None = None,
    by_chance: _Row | None = None,
) -> ReplaySeries:
    # A row counts where both have it; averages leave the others out.
    both = known & np.isfinite(recorded) & np.isfinite(replayed)
    weight = np.where(both, 1.0 if weights is None else weights, 0.0)
    theirs, mine = (_smooth(values, weight) for values in (recorded, replayed))
    off = deviation(mine[both], theirs[both])
    allowed = np.maximum(TOLERANCES[measure], 0.0 if by_chance is None else by_chance[both])
    return ReplaySeries(
        of=of,
        measure=measure,
        recorded=_plain(recorded),
        replayed=_plain(np.where(known, replayed, np.nan)),
        tolerance=TOLERANCES[measure],
        judged=int(both.sum()),
        within=int((off <= allowed).sum()),
        worst=significant(float(off.max())) if len(off) else None,
    )


def _smooth(values: _Row, weight: _Row) -> _Row:
    total = _windowed(weight)
    summed = _windowed(np.nan_to_num(values) * weight)
    return np.divide(summed, total, out=np.zeros(len(total)), where=total > 0)


def _windowed(values: _Row) -> _Row:
    """Sums over `SMOOTH` rows, fewer where there are not as many."""
    if not len(values):
        return values
    # An odd number, so that each row stands in the middle of its own sum.
    return np.convolve(values, np.ones(min(SMOOTH, (len(values) - 1) | 1)), "same")


def _relative(mine: _Row, theirs: _Row) -> _Row:
    out = np.where(mine == theirs, 0.0, np.inf)
    return np.divide(np.abs(mine - theirs), theirs, out=out, where=theirs > 0)


def _points(mine: _Row, theirs: _Row) -> _Row:
    return np.abs(mine - theirs)


def _plain(values: _Row) -> tuple[float | None, ...]:
    return tuple(significant(value) if np.isfinite(value) else None for value in values.tolist())
