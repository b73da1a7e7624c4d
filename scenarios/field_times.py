"""A column of times as the field writes them: ISO 8601, seconds to nanoseconds since 1970, seconds
since some beginning, and the dates and day numbers of spreadsheets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import median

import msgspec

from scenarios.field_numbers import LONGEST, Numerals
from scenarios.plain_text import quoted

_MEND = "write 2026-01-31T20:00:00, or seconds"
_SINCE_1970 = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3), (1e8, 1.0))
"""Numbers from the first of each count so many a second since 1970: nothing else of a year near
ours is as large. Smaller ones count from a beginning of their own."""
_YEARS = (1990, 2100)
"""When recordings are made; other years come from a wrong unit."""
_DAY = 86400.0
_EXCEL_1970 = 25569
"""The day number of 1970-01-01 in spreadsheets."""
_EXCEL_DAYS = (32874.0, 73051.0)
"""Day numbers of the years 1990 to 2100. Numbers as large may be seconds; those are further apart
than a quarter of a second."""
_MOST_OF_A_DAY = 0.25

_YEAR_FIRST = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?")
_YEAR_LAST = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?=T)")
_CLOCK = re.compile(
    r"(?:T|[ ,]+)(上午|下午)? ?([0-9]{1,2}):?([0-9]{2})(?::?([0-9]{2})(?:[.,]([0-9]{1,12}))?)?"
    r"(?: ?([AP])\.?M\.?)?( ?(?:Z|UTC|GMT)| ?[+-][0-9]{2}(?::?[0-9]{2})?(?: UTC)?)?",
    re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = re.compile(r"(?P<year>[0-9]{4})[-/.年](?P<month>[0-9]{1,2})月?")
_MONTH_LAST = re.compile(r"(?P<month>[0-9]{1,2})[-/.](?P<year>[0-9]{4})")
_NAME = rf"(?P<name>(?i:{'|'.join(_MONTHS)})[a-zA-Z]*)"
_MONTH_NAME = re.compile(rf"{_NAME}[-/. ]+(?P<year>[0-9]{{4}}|[0-9]{{2}})")
_MONTH_NAME_LAST = re.compile(rf"(?P<year>[0-9]{{4}}|[0-9]{{2}})[-/. ]+{_NAME}")
_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})?")


class Times(msgspec.Struct, frozen=True):
    """A column of times: `seconds` by row, from one beginning; `fineness`: how far apart two times
    can be written, in seconds, 0 where that is no matter. `clocks`: they are those of a place's
    clocks, which may be changed twice a year. `counted`: from some beginning, in a unit that
    nothing tells."""

    seconds: tuple[float, ...]
    fineness: float = 0.0
    clocks: bool = False
    counted: bool = False


class BadTimes(Exception):
    """Times that cannot be read: rows, counted from 0, and what to write there."""

    def __init__(self, found: Iterable[tuple[int, str]]) -> None:
        self.found = tuple(found)
        super().__init__(*self.found)


def read_times(cells: Sequence[str], numerals: Numerals) -> Times:
    """Read a column of folded cells, one or more. Raises BadTimes."""
    numbers = []
    for cell in cells:
        try:
            numbers.append(numerals.number(cell))
        except ValueError:
            return _of_dates(cells)
    return _of_numbers(cells, numbers)


def read_month(cell: str) -> date | None:
    """The first day of a month as a forecast names it, folded: `2027-03`, `2027/3/1`, `03/2027`,
    `Mar-27`, `March 2027`, `2027年3月`; None if it is no month.

    A whole date is that of the month's first day or last.
    """
    if len(cell) > LONGEST:
        return None
    if found := _MONTH.fullmatch(cell) or _MONTH_LAST.fullmatch(cell):
        return _day(int(found["year"]), int(found["month"]))
    if found := _MONTH_NAME.fullmatch(cell) or _MONTH_NAME_LAST.fullmatch(cell):
        year, month = int(found["year"]), _MONTHS.index(found["name"][:3].lower()) + 1
        return _day(year if year > 99 else 2000 + year, month)
    if (moment := _moment(cell)) is None:
        return None
    for month_first in (True, False):
        try:
            day = date(1970, 1, 1) + timedelta(seconds=moment.seconds(month_first))
            if day.day == 1 or (day + timedelta(days=1)).day == 1:
                return day.replace(day=1)
        except (ValueError, OverflowError):
            continue
    return None


def _day(year: int, month: int) -> date | None:
    try:
        return date(year, month, 1)
    except ValueError:
        return None


def _of_numbers(cells: Sequence[str], numbers: Sequence[float]) -> Times:
    largest = max(numbers)
    for least, in_a_second in _SINCE_1970:
        if largest >= least:
            times = Times(tuple(number / in_a_second for number in numbers))
            _check_years(cells, times)
            return times
    gaps = [abs(later - earlier) for earlier, later in pairwise(numbers)]
    days = _EXCEL_DAYS[0] <= min(numbers) and largest < _EXCEL_DAYS[1]
    if days and gaps and median(gaps) < _MOST_OF_A_DAY:
        decimals = max(len(re.split(r"[.,]", cell, maxsplit=1)[-1]) for cell in cells)
        seconds = ((number - _EXCEL_1970) * _DAY for number in numbers)
        return Times(tuple(seconds), fineness=_DAY / 10**decimals, clocks=True)
    return Times(tuple(numbers), counted=True)


def _check_years(cells: Sequence[str], times: Times) -> None:
    first, after = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in _YEARS)
    wrong = [
        (row, f"{quoted(cells[row])} is not of the years {_YEARS[0]} to {_YEARS[1]}; {_MEND}")
        for row, at in enumerate(times.seconds)
        if not first <= at < after
    ]
    if wrong:
        raise BadTimes(wrong)


class _Moment(msgspec.Struct, frozen=True):
    """A date as it is written, three numbers, and the seconds since its midnight."""

    numbers: tuple[int, int, int]
    year_first: bool
    day_first: bool
    clock: float
    offset: float | None

    def seconds(self, month_first: bool) -> float:
        """Seconds since 1970. Raises ValueError when there is no such day."""
        first, second, third = self.numbers
        if self.year_first:
            day = date(first, second, third)
        elif month_first and not self.day_first:
            day = date(third, first, second)
        else:
            day = date(third, second, first)
        return (day - date(1970, 1, 1)).days * _DAY + self.clock - (self.offset or 0.0)


def _of_dates(cells: Sequence[str]) -> Times:
    moments = [_moment(cell) for cell in cells]
    wrong = [
        (row, f"{quoted(cells[row])} is not a time; {_MEND}")
        for row, moment in enumerate(moments)
        if moment is None
    ]
    if wrong:
        raise BadTimes(wrong)
    known = [moment for moment in moments if moment is not None]
    zoned = [moment.offset is not None for moment in known]
    if any(zoned) and not all(zoned):
        row = zoned.index(not zoned[0])
        which = "has no zone" if zoned[0] else "has a zone"
        raise BadTimes([(row, f"{quoted(cells[row])} {which}, unlike the first; write all so")])
    times = Times(tuple(_in_order(cells, known)), clocks=not zoned[0])
    _check_years(cells, times)
    return times


def _in_order(cells: Sequence[str], moments: Sequence[_Moment]) -> list[float]:
    """Seconds by row: of 3/4/2026 either number may be the day, unless the column tells."""
    readings = []
    for month_first in (False, True):
        try:
            readings.append([moment.seconds(month_first) for moment in moments])
        except ValueError:
            continue
    even = [reading for reading in readings if _is_even(reading)] or readings
    gaps = {tuple(later - earlier for earlier, later in pairwise(reading)) for reading in even}
    if len(gaps) == 1:  # where all readings have the same steps, the day is no matter
        return even[0]
    if readings:
        cell = quoted(cells[0])
        raise BadTimes([(0, f"{cell}: is the day or the month first? Write 2026-01-31T20:00:00")])
    row = next((row for row, moment in enumerate(moments) if not _exists(moment)), 0)
    raise BadTimes([(row, f"{quoted(cells[row])} is not a day of the calendar; {_MEND}")])


def _exists(moment: _Moment) -> bool:
    try:
        moment.seconds(False)
    except ValueError:
        return False
    return True


def _is_even(seconds: Sequence[float]) -> bool:
    gaps = [later - earlier for earlier, later in pairwise(seconds)]
    return not gaps or 0 < max(gaps) <= min(1.01 * min(gaps), _DAY)


def _moment(cell: str) -> _Moment | None:
    if len(cell) > LONGEST:
        return None
    found = _YEAR_FIRST.match(cell) or _COMPACT.match(cell)
    last = None if found else _YEAR_LAST.match(cell)
    day = found or last
    if day is None:
        return None
    clock, offset = 0.0, None
    if day.end() < len(cell):
        time = _CLOCK.fullmatch(cell, day.end())
        seconds = _clock(time) if time else None
        if time is None or seconds is None:
            return None
        clock, offset = seconds, _offset(time[7])
    numbers = (last[1], last[3], last[4]) if last else day.groups()
    first, second, third = map(int, numbers)
    return _Moment(
        (first, second, third), last is None, last is not None and last[2] == ".", clock, offset
    )


def _clock(found: re.Match[str]) -> float | None:
    """Seconds since midnight; None when there is no such time of day."""
    chinese, hours, minutes, seconds, fraction, half = found.groups()[:6]
    hour, minute, second = int(hours), int(minutes), int(seconds or 0)
    if chinese or half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if chinese == "下午" or (half or "").upper() == "P" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return hour * 3600.0 + minute * 60 + second + float(f"0.{fraction or 0}")


def _offset(text: str | None) -> float | None:
    """Seconds east of UTC; None without a zone."""
    if not text:
        return None
    found = _OFFSET.search(text)
    if found is None:
        return 0.0
    east = int(found[2]) * 3600.0 + int(found[3] or 0) * 60
    return -east if found[1] == "-" else east
