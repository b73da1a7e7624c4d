"""Recordings of an incident as CSV files: arrivals, and latency and errors of each gateway."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path

import msgspec

from scenarios.distributions import impossible
from scenarios.gateways import GATEWAY_OPERATIONS
from scenarios.problems import Problem, ScenarioProblems
from scenarios.units import format_duration, parse_share

MOST_ROWS = 10_080
"""A week of minutes."""

_SERIES = ("p50_ms", "p99_ms", "error_share")
COLUMNS: tuple[str, ...] = (
    "time",
    "arrivals",
    *(f"{gateway}_{series}" for gateway in GATEWAY_OPERATIONS for series in _SERIES),
)
"""Every column that a recording may have."""

_NOT_RECORDED = ("", "nan", "null", "-")
_MILLISECONDS = re.compile(r"(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*(ms|s|µs)?", re.IGNORECASE)
_UNIT = {"ms": 1.0, "s": 1000.0, "µs": 0.001}
_EPOCH_MS = 1e11  # later than this cannot be seconds: it would be the year 5138


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
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.arrivals)


def read_recording(path: Path) -> Recording:
    """Read a recording. Raises ScenarioProblems with every mistake, by line and column."""
    header, rows = _table(path)
    reader = _Reader(path, header, rows)
    step = reader.step()
    arrivals = reader.column("arrivals", _arrivals, required=True)
    gateways = {
        gateway: GatewaySeries(
            reader.latencies(gateway, "p50_ms"),
            reader.latencies(gateway, "p99_ms"),
            reader.column(f"{gateway}_error_share", _share),
        )
        for gateway in GATEWAY_OPERATIONS
        if any(f"{gateway}_{series}" in header for series in _SERIES)
    }
    for gateway, series in gateways.items():
        reader.check_pairs(gateway, series)
    if reader.problems:
        raise ScenarioProblems(reader.problems)
    return Recording(
        step=step,
        began=rows[0][1][header.index("time")].strip(),
        arrivals=tuple(per_minute / 60 for per_minute in arrivals if per_minute is not None),
        gateways=gateways,
    )


_Rows = list[tuple[int, list[str]]]
"""Lines of the file, counted from 1, with their cells."""


def _table(path: Path) -> tuple[list[str], _Rows]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file)
            found = [(lines.line_num, cells) for cells in lines if any(map(str.strip, cells))]
    except FileNotFoundError:
        raise _problem(path, "there is no such file; give the CSV file of a recording") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _problem(path, f"cannot be read: {error}; save it as CSV in UTF-8") from None
    if found and found[0][1][0].startswith("sep="):  # Grafana's "Download for Excel"
        found = found[1:]
    if not found:
        raise _problem(path, "the file is empty; write a line of column names and a line a minute")
    first, names = found[0]
    header = [re.sub(r"[\s.\-]+", "_", name.strip().lower()) for name in names]
    problems = [
        Problem(str(path), first, name, _unknown(name))
        for name in header
        if name not in COLUMNS and name
    ]
    problems += [
        Problem(str(path), first, name, "the column is there twice; leave one out")
        for name in sorted({name for name in header if name and header.count(name) > 1})
    ]
    problems += [
        Problem(str(path), first, name, f"the column is missing; {mend}")
        for name, mend in (
            ("time", "write the beginning of each row, such as 2026-01-31T20:00:00 or 0, 60, 120"),
            ("arrivals", "write how many customers came per minute"),
        )
        if name not in header
    ]
    if not problems and len(header) < 3:
        problems.append(
            Problem(str(path), first, "", "no gateway is recorded; add columns such as bank_p50_ms")
        )
    rows = found[1:]
    for line, cells in rows:
        if len(cells) != len(header):
            message = f"{len(cells)} cells, but {len(header)} columns; write one for each"
            problems.append(Problem(str(path), line, "", message))
    if not problems and len(rows) < 2:
        problems.append(Problem(str(path), first, "", "fewer than two rows; record some minutes"))
    if len(rows) > MOST_ROWS:
        message = f"{len(rows)} rows; leave at most {MOST_ROWS}"
        problems.append(Problem(str(path), first, "", message))
    if problems:
        raise ScenarioProblems(problems)
    return header, rows


class _Reader:
    """Columns of a table whose header is sound; collects what is wrong with cells."""

    def __init__(self, path: Path, header: Sequence[str], rows: _Rows) -> None:
        self._path, self._header, self._rows = path, header, rows
        self.problems: list[Problem] = []

    def report(self, row: int, column: str, message: str) -> None:
        self.problems.append(Problem(str(self._path), self._rows[row][0], column, message))

    def column(
        self, name: str, read: Callable[[str], float], *, required: bool = False
    ) -> tuple[float | None, ...]:
        if name not in self._header:
            return ()
        at = self._header.index(name)
        values: list[float | None] = []
        for row, (_, cells) in enumerate(self._rows):
            text = cells[at].strip()
            value = None
            try:
                value = None if text.lower() in _NOT_RECORDED else read(text)
                if value is None and required:
                    raise ValueError("nothing is written; write a number, 0 for none")
            except ValueError as error:
                self.report(row, name, str(error))
            values.append(value)
        return tuple(values)

    def latencies(self, gateway: str, series: str) -> tuple[float | None, ...]:
        found = self.column(f"{gateway}_{series}", _latency)
        return tuple(None if value is None else value / 1000 for value in found)

    def step(self) -> float:
        """Seconds between rows, which must be the same everywhere."""
        times = self.column("time", _time, required=True)
        if self.problems:
            raise ScenarioProblems(self.problems)
        known = [time for time in times if time is not None]
        gaps = [later - earlier for earlier, later in pairwise(known)]
        if max(known) > _EPOCH_MS:
            gaps = [gap / 1000 for gap in gaps]
        step = sorted(gaps)[len(gaps) // 2]
        for row, gap in enumerate(gaps, start=1):
            if gap <= 0:
                self.report(row, "time", "not later than the row before; sort the rows by time")
            elif abs(gap - step) > 0.01 * step:
                self.report(
                    row,
                    "time",
                    f"{format_duration(gap)} after the row before, but rows are"
                    f" {format_duration(abs(step))} apart; add or remove rows (a cell that was not"
                    " recorded stays empty)",
                )
        if self.problems:
            raise ScenarioProblems(self.problems)
        return step

    def check_pairs(self, gateway: str, series: GatewaySeries) -> None:
        p50, p99 = f"{gateway}_p50_ms", f"{gateway}_p99_ms"
        if bool(series.p50) != bool(series.p99):
            there, missing = (p50, p99) if series.p50 else (p99, p50)
            message = f"the column is missing; {there} needs it beside itself"
            self.problems.append(Problem(str(self._path), 1, missing, message))
            return
        known_bad = {problem.line for problem in self.problems}
        for row, (median, tail) in enumerate(zip(series.p50, series.p99, strict=True)):
            if self._rows[row][0] in known_bad:
                continue
            if (median is None) != (tail is None):
                self.report(row, p50 if median is None else p99, "empty; write both p50 and p99")
            elif median is not None and tail is not None and tail < median:
                self.report(row, p99, "below p50; are the columns swapped?")
            elif median is not None and tail is not None and (why := impossible(median, tail)):
                self.report(row, p50, why)


def _arrivals(text: str) -> float:
    value = _number(text)
    if value < 0:
        raise ValueError(f"{text} is below 0; write customers per minute")
    return value


def _share(text: str) -> float:
    value = parse_share(text)
    if not 0 <= value <= 1:
        raise ValueError(f"{text} is not from 0 to 1; write a share such as 0.02, or 2%")
    return value


def _latency(text: str) -> float:
    match = _MILLISECONDS.fullmatch(text)
    if match is None or not math.isfinite(float(match[1])):
        raise ValueError(f"{text!r} is not a latency; write milliseconds, such as 120")
    return float(match[1]) * _UNIT[(match[2] or "ms").lower()]


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a number; write one such as 312")
    return value


def _time(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise ValueError(f"{text!r} is not a time; write 2026-01-31T20:00:00, or seconds") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _unknown(name: str) -> str:
    near = get_close_matches(name, COLUMNS, n=1)
    mend = f"did you mean {near[0]}?" if near else f"known are {', '.join(COLUMNS)}"
    return f"there is no such column; {mend} (leave other columns out of the export)"


def _problem(path: Path, message: str) -> ScenarioProblems:
    return ScenarioProblems([Problem(str(path), 0, "", message)])
