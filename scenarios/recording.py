"""Recordings of an incident as CSV files: arrivals, and latency and errors of each gateway."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import msgspec

from scenarios.csv_table import Table, fewer, read_table
from scenarios.distributions import impossible
from scenarios.field_times import BadTimes, Times, read_times
from scenarios.gateways import GATEWAY_OPERATIONS
from scenarios.problems import ScenarioProblems
from scenarios.table_columns import TableColumns
from scenarios.units import format_duration

MOST_ROWS = 10_080
"""A week of minutes."""

_SERIES = ("p50_ms", "p99_ms", "error_share")
COLUMNS: tuple[str, ...] = (
    "time",
    "arrivals",
    *(f"{gateway}_{series}" for gateway in GATEWAY_OPERATIONS for series in _SERIES),
)
"""Every column that a recording may have."""

_NEEDED = {
    "time": "write the beginning of each row, such as 2026-01-31T20:00:00 or 0, 60, 120",
    "arrivals": "write how many customers came per minute",
}
_LEAST_STEP, _MOST_STEP = 1.0, 6 * 3600.0
"""Rows closer together, or further apart, are of another unit, or say nothing of an incident."""
_MOST_LATENCY = 86400.0
_MOST_PER_MINUTE = 6e7
"""A million arrivals a second."""
_HOUR = 3600.0


class GatewaySeries(msgspec.Struct, frozen=True):
    """One gateway, row by row: latencies in seconds, shares from 0 to 1; None: not recorded."""

    p50: tuple[float | None, ...]
    p99: tuple[float | None, ...]
    error_share: tuple[float | None, ...]


class Recording(msgspec.Struct, frozen=True):
    """`rows` rows of `step` seconds each; `arrivals` per second. `began` is the first row's time as
    written. Only recorded gateways are in `gateways`."""

    step: float
    began: str
    arrivals: tuple[float, ...]
    gateways: dict[str, GatewaySeries]

    @property
    def is_of_nothing(self) -> bool:
        """Whether no gateway has a value in any row, so that there is nothing to replay."""
        return all(
            value is None
            for gateway in self.gateways.values()
            for series in (gateway.p50, gateway.p99, gateway.error_share)
            for value in series
        )

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.arrivals)


def read_recording(path: Path) -> Recording:
    """Read a recording. Raises ScenarioProblems with every mistake, by line and column."""
    table = read_table(path, "the CSV file of a recording")
    _check_shape(table)
    columns = TableColumns(table, COLUMNS)
    columns.raise_problems()
    numerals = columns.numerals
    step = _step(table, columns)
    arrivals = columns.numbers("arrivals", _bounded(numerals.per_minute, _arrivals), required=True)
    latency = _bounded(numerals.milliseconds, _latency)
    gateways = {
        gateway: GatewaySeries(
            columns.numbers(f"{gateway}_p50_ms", latency),
            columns.numbers(f"{gateway}_p99_ms", latency),
            columns.numbers(f"{gateway}_error_share", numerals.share),
        )
        for gateway in GATEWAY_OPERATIONS
        if any(f"{gateway}_{series}" in table.names for series in _SERIES)
    }
    columns.raise_problems()
    for gateway, series in gateways.items():
        _check_pairs(table, columns, gateway, series)
    if not any(arrivals):
        columns.problems.append(table.problem("0 in every row: nobody to replay", "arrivals"))
    columns.raise_problems()
    return Recording(
        step=step,
        began=table.column("time")[0],
        arrivals=tuple(per_minute / 60 for per_minute in arrivals if per_minute is not None),
        gateways=gateways,
    )


def _check_shape(table: Table) -> None:
    problems = table.check_names(COLUMNS, _NEEDED)
    if not problems and len(table.names) < 3:
        problems.append(table.problem("no gateway is recorded; add columns such as bank_p50_ms"))
    if not problems and len(table.rows) < 2:
        problems.append(table.problem("fewer than two rows; record some minutes"))
    if len(table.rows) > MOST_ROWS:
        problems.append(table.problem(f"{len(table.rows)} rows; leave at most {MOST_ROWS}"))
    if problems:
        raise ScenarioProblems(fewer(problems))


def _step(table: Table, columns: TableColumns) -> float:
    """Seconds between rows, which must be the same everywhere. Raises ScenarioProblems."""
    cells = table.column("time")
    missing = [(row, "nothing is written; write a time") for row, at in enumerate(cells) if not at]
    try:
        times = Times(()) if missing else read_times(cells, columns.numerals)
    except BadTimes as bad:
        missing = list(bad.found)
    for row, message in missing:
        columns.report(row, "time", message)
    columns.raise_problems()
    gaps = [later - earlier for earlier, later in pairwise(times.seconds)]
    step = sorted(gaps)[len(gaps) // 2]
    if max(gaps) < 0:
        columns.report(1, "time", "rows run backwards; sort them by time")
    elif step > 0 and not _LEAST_STEP <= step <= _MOST_STEP:
        columns.report(1, "time", _unlikely(step, times.counted))
    else:
        for row, gap in enumerate(gaps, start=1):
            if (wrong := _uneven(gap, step, times)) is not None:
                cut = gap == 0 and "e+" in cells[row].lower()  # a spreadsheet saved it so
                few = f"{cells[row]} has too few digits to tell rows apart; export the times anew"
                columns.report(row, "time", few if cut else wrong)
    columns.raise_problems()
    if times.fineness:
        return round((times.seconds[-1] - times.seconds[0]) / len(gaps))
    return step


def _uneven(gap: float, step: float, times: Times) -> str | None:
    """What is wrong with a row that comes so many seconds after the one before it."""
    if abs(gap - step) <= max(0.01 * step, 1.01 * times.fineness) and gap > 0:
        return None
    hour = abs(abs(gap - step) - _HOUR) <= 0.01 * step
    if times.clocks and hour and step < _HOUR:
        return "a change of clocks? Write times with their offset: 2026-01-31T20:00:00+08:00"
    if gap <= 0:
        return "not later than the row before; sort the rows by time, leave out repeated ones"
    return (
        f"{format_duration(gap)} after the row before, but rows are {format_duration(abs(step))}"
        " apart; add or remove rows (a cell that was not recorded stays empty)"
    )


def _unlikely(step: float, counted: bool) -> str:
    """The message for rows too close together or too far apart; with the unit that times may have
    that are `counted` from some beginning."""
    likely = [
        unit
        for unit, seconds in (
            ("minutes", 60.0),
            ("hours", 3600.0),
            ("days", 86400.0),
            ("milliseconds", 1e-3),
            ("microseconds", 1e-6),
            ("nanoseconds", 1e-9),
        )
        if counted and 0.99 * _LEAST_STEP <= step * seconds <= _HOUR
    ]
    asked = f"; are the times {likely[0]}?" if likely else ";"
    return (
        f"rows are {format_duration(step)} apart, and those of an incident {_LEAST_STEP:g}s to"
        f" {format_duration(_MOST_STEP)}{asked} write seconds, or 2026-01-31T20:00:00"
    )


def _check_pairs(table: Table, columns: TableColumns, gateway: str, series: GatewaySeries) -> None:
    p50, p99 = f"{gateway}_p50_ms", f"{gateway}_p99_ms"
    if bool(series.p50) != bool(series.p99):
        there, missing = (p50, p99) if series.p50 else (p99, p50)
        message = f"the column is missing; {there} needs it beside itself"
        columns.problems.append(table.problem(message, missing))
        return
    for row, (median, tail) in enumerate(zip(series.p50, series.p99, strict=True)):
        if (median is None) != (tail is None):
            columns.report(row, p50 if median is None else p99, "empty; write both p50 and p99")
        elif median is not None and tail is not None and tail < median:
            columns.report(row, p99, "below p50; are the columns swapped?")
        elif median is not None and tail is not None and (why := impossible(median, tail)):
            columns.report(row, p50, why)


def _bounded(
    read: Callable[[str], float], check: Callable[[str, float], float]
) -> Callable[[str], float]:
    return lambda text: check(text, read(text))


def _arrivals(text: str, per_minute: float) -> float:
    if per_minute < 0:
        raise ValueError(f"{text} is below 0; write customers per minute")
    if per_minute > _MOST_PER_MINUTE:
        raise ValueError(f"{text} is above {_MOST_PER_MINUTE:,.0f}; write customers per minute")
    return per_minute


def _latency(text: str, milliseconds: float) -> float:
    """Seconds."""
    if milliseconds < 0:
        raise ValueError(f"{text} is below 0; write milliseconds, such as 120")
    if milliseconds > 1000 * _MOST_LATENCY:
        raise ValueError(f"{text} is longer than a day; write milliseconds, such as 120")
    return milliseconds / 1000
