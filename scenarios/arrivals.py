"""When customers arrive.

Every kind but `constant` and `recorded` is a Poisson process whose rate is piecewise linear. The
n-th arrival is where the cumulative rate reaches the sum of the first n unit-exponential gaps
(inversion of the cumulative rate, Çinlar 1975). Gaps are keyed by n alone, so that runs at other
rates meet the same gaps, stretched: common random numbers.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple

from scenarios.arrival_kinds import (
    Arrivals,
    ConstantArrivals,
    DiurnalArrivals,
    PoissonArrivals,
    RampArrivals,
    RecordedArrivals,
    SpikeArrivals,
    StepArrivals,
)
from scenarios.csv_table import read_text
from scenarios.field_numbers import Numerals, folded, mark_of, shown_name
from scenarios.keyed import Keyed
from scenarios.plain_text import quoted
from scenarios.problems import ScenarioProblems

_DAY = 86400.0
_HOUR = 3600.0
_MOST_BYTES = 512_000_000
"""A recorded day of a thousand customers a second."""
_SINCE_1970 = 1e8
"""Three years: what is later than that did not begin with the run."""


def arrival_times(
    arrivals: Arrivals, seed: int, duration: float, base: Path | None = None
) -> Iterator[float]:
    """The arrivals' times in seconds, rising, from 0 to below `duration`.

    A recording's relative path starts at the folder `base`. Raises ValueError on a bad recording.
    """
    if isinstance(arrivals, RecordedArrivals):
        times, factor = _rescaled(arrivals, base)
        ended = bisect_left(times, duration / factor)
        return (time * factor for time in islice(times, ended))
    if isinstance(arrivals, ConstantArrivals):
        return _evenly(arrivals.rate, duration)
    return _poisson(_pieces(arrivals, duration), seed, duration)


def first_arrival(arrivals: Arrivals, seed: int, duration: float) -> float | None:
    """When the first customer arrives, in seconds; None when nobody does. Raises ValueError on a
    bad recording."""
    return next(arrival_times(arrivals, seed, duration), None)


def arrival_count(arrivals: Arrivals, seed: int, duration: float) -> int:
    """How many customers arrive. Raises ValueError on a bad recording."""
    if isinstance(arrivals, RecordedArrivals):
        return _count(arrivals, seed, duration)  # anew each time: its file may have changed
    return _drawn_count(arrivals, seed, duration)


def _count(arrivals: Arrivals, seed: int, duration: float) -> int:
    return sum(1 for _ in arrival_times(arrivals, seed, duration))


# A day at 50 a second takes seconds to draw, and one command asks for its number several times.
_drawn_count = lru_cache(maxsize=32)(_count)


def rate_at(arrivals: Arrivals, t: float, duration: float, base: Path | None = None) -> float:
    """The planned rate per second at `t` seconds of a run of `duration` seconds.

    For a recording: the number of arrivals in the second around `t`.
    """
    if isinstance(arrivals, RecordedArrivals):
        times, factor = _rescaled(arrivals, base)
        low = bisect_left(times, (t - 0.5) / factor)
        return float(bisect_left(times, (t + 0.5) / factor) - low)
    for piece in _pieces(arrivals, duration):
        if piece.start <= t < piece.end:
            return piece.rate + piece.slope * (t - piece.start)
    return 0.0


def expected_arrivals(arrivals: Arrivals, duration: float, base: Path | None = None) -> float:
    """How many arrivals `duration` seconds hold on average (a recording: exactly)."""
    if isinstance(arrivals, RecordedArrivals):
        times, factor = _rescaled(arrivals, base)
        return float(bisect_left(times, duration / factor))
    return math.fsum(piece.area for piece in _pieces(arrivals, duration))


def scaled(arrivals: Arrivals, rate: float) -> Arrivals:
    """The same shape at another rate per second.

    `rate` becomes the base rate of a spike, the mean of a ramp and of steps, the mean rate of a day
    and of a recording. Raises ValueError where the present rate is 0 and the shape has no scale.
    """
    match arrivals:
        case ConstantArrivals() | PoissonArrivals() | DiurnalArrivals() | RecordedArrivals():
            return arrivals.model_copy(update={"rate": rate})
        case SpikeArrivals():
            factor = _factor(rate, arrivals.rate)
            return arrivals.model_copy(update={"rate": rate, "peak": arrivals.peak * factor})
        case RampArrivals():
            factor = _factor(rate, (arrivals.start + arrivals.end) / 2)
            ends = {"start": arrivals.start * factor, "end": arrivals.end * factor}
            return arrivals.model_copy(update=ends)
        case StepArrivals():
            length = math.fsum(stage.duration for stage in arrivals.steps)
            area = math.fsum(stage.rate * stage.duration for stage in arrivals.steps)
            factor = _factor(rate, area / length if length else arrivals.steps[-1].rate)
            steps = tuple(s.model_copy(update={"rate": s.rate * factor}) for s in arrivals.steps)
            return arrivals.model_copy(update={"steps": steps})


def _factor(wanted: float, present: float) -> float:
    if present <= 0:
        raise ValueError("the scenario's own rate is 0, which has no multiple; edit its arrivals")
    return wanted / present


class _Piece(NamedTuple):
    """From `start` to `end` the rate is `rate` + `slope` * (t - `start`)."""

    start: float
    end: float
    rate: float
    slope: float = 0.0

    @property
    def area(self) -> float:
        length = self.end - self.start
        return length * (self.rate + self.slope * length / 2)

    def reach(self, area: float) -> float:
        """When the cumulative rate since `start` is `area`, which lies within the piece."""
        if self.slope == 0.0:
            return min(self.end, self.start + area / self.rate)
        # The root of slope/2 x^2 + rate x = area, in the form that does not cancel for slope -> 0.
        root = math.sqrt(max(0.0, self.rate * self.rate + 2 * self.slope * area))
        return min(self.end, self.start + 2 * area / (self.rate + root))


def _pieces(arrivals: Arrivals, duration: float) -> Iterator[_Piece]:
    """The rate from 0 to `duration`, in order, without gaps."""
    for piece in _endless(arrivals, duration):
        if piece.start >= duration:
            return
        if piece.end > piece.start:
            yield piece._replace(end=min(piece.end, duration))


def _endless(arrivals: Arrivals, duration: float) -> Iterator[_Piece]:
    match arrivals:
        case ConstantArrivals() | PoissonArrivals():
            yield _Piece(0.0, math.inf, arrivals.rate)
        case RampArrivals():
            over = duration if arrivals.over is None else arrivals.over
            if over > 0:
                yield _Piece(0.0, over, arrivals.start, (arrivals.end - arrivals.start) / over)
            yield _Piece(over, math.inf, arrivals.end)
        case StepArrivals():
            start = 0.0
            for stage in arrivals.steps:
                yield _Piece(start, start + stage.duration, stage.rate)
                start += stage.duration
            yield _Piece(start, math.inf, arrivals.steps[-1].rate)
        case SpikeArrivals():
            until = arrivals.at + arrivals.duration
            yield _Piece(0.0, arrivals.at, arrivals.rate)
            yield _Piece(arrivals.at, until, arrivals.peak)
            yield _Piece(until, math.inf, arrivals.rate)
        case DiurnalArrivals():
            scale = arrivals.rate * 24 / math.fsum(arrivals.hours)
            midnight = -(arrivals.starts_at % _DAY)
            for hour in count():
                start = midnight + hour * _HOUR
                weight = arrivals.hours[hour % 24]
                yield _Piece(max(0.0, start), max(0.0, start + _HOUR), weight * scale)


def _evenly(rate: float, duration: float) -> Iterator[float]:
    if rate <= 0:
        return
    for n in count():
        time = n / rate
        if time >= duration:
            return
        yield time


def _poisson(pieces: Iterator[_Piece], seed: int, duration: float) -> Iterator[float]:
    uniform = Keyed(seed).uniform
    log = math.log
    reached = 0.0  # the sum of gaps so far
    passed = 0.0  # the cumulative rate before the current piece
    n = 0
    gap = -log(uniform("arrival", 0) or 2.0**-65)
    for piece in pieces:
        below = passed + piece.area
        reach = piece.reach
        while (total := reached + gap) < below:
            time = reach(total - passed)
            if time < duration:  # rounding may bring it to the very end
                yield time
            reached = total
            n += 1
            gap = -log(uniform("arrival", n) or 2.0**-65)
        passed = below


def read_recording(file: Path) -> array[float]:
    """The times of a recorded CSV file, in seconds, rising.

    Raises ValueError that says what is wrong, with the line.
    """
    times = array("d")
    try:
        source = read_text(file, "a CSV file of seconds", _MOST_BYTES)
        records = ((line, cells) for line, cells in source.records() if cells[0][:1] != "#")
        _, heading = next(records, (0, []))
        header = [folded(name).lower() for name in heading]
        if "seconds" not in header:
            found = shown_name(", ".join(filter(None, header))) or "nothing"
            raise ValueError(f"{file} has no column 'seconds' in its first line (it has {found})")
        column = header.index("seconds")
        before = 0.0
        for line, cells in records:
            before = _time(cells, column, before, source.delimiter, f"{file}, line {line}")
            times.append(before)
    except ScenarioProblems as problem:
        if not file.exists():
            raise ValueError(f"{file} does not exist; paths are relative to the scenario") from None
        raise ValueError(str(problem)) from None
    if not times:
        raise ValueError(f"{file} holds no arrivals below its first line")
    if times[0] >= _SINCE_1970:
        raise ValueError(
            f"{file} begins at {times[0]:.15g} s, a time since 1970; subtract when the run began"
        )
    return times


def _time(cells: list[str], column: int, before: float, delimiter: str, where: str) -> float:
    text = cells[column] if column < len(cells) else ""
    try:
        time = _number(text, delimiter)
    except ValueError:
        time = math.nan
    if not math.isfinite(time):
        raise ValueError(f"{where}: {quoted(text.strip())} is not a number of seconds")
    if time < 0:
        raise ValueError(f"{where}: {text} is not a time since the run began; write 0 or more")
    if time < before:
        raise ValueError(f"{where}: {text} comes after {before:g}; sort the column")
    return time


def _number(text: str, delimiter: str) -> float:
    try:
        return float(text)  # nearly all are plain, and there may be millions
    except ValueError:
        text = folded(text)
    # Rising times tell by themselves if a lone comma was meant for thousands.
    mark = mark_of(text)
    return Numerals("," if mark == "," or (mark == "?" and delimiter != ",") else ".").number(text)


@lru_cache(maxsize=4)
def _cached(file: Path, modified_ns: int) -> array[float]:
    return read_recording(file)


def _rescaled(arrivals: RecordedArrivals, base: Path | None) -> tuple[array[float], float]:
    """The recorded times and the factor that brings them to the wanted mean rate."""
    file = arrivals.file if base is None else base / arrivals.file
    try:
        modified = file.stat().st_mtime_ns
    except OSError:
        modified = 0
    times = _cached(file, modified)
    if arrivals.rate is None or times[-1] == 0:
        return times, 1.0
    return times, len(times) / times[-1] / arrivals.rate
