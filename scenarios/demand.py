"""What is expected to come, by month: applications, and the peak arrivals a second they make."""

from __future__ import annotations

import math
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import msgspec
from pydantic import Field

from scenarios.csv_table import fewer, read_table
from scenarios.field_numbers import LONGEST, Numerals, is_missing
from scenarios.field_times import read_month
from scenarios.plain_text import Line, quoted
from scenarios.problems import ScenarioProblems
from scenarios.section import Section
from scenarios.settings_file import load_settings
from scenarios.table_columns import TableColumns
from scenarios.units import Count, Number, Share

PLANS = Path(__file__).with_name("plans")
FORECAST = PLANS / "forecast.csv"
PEAKS = PLANS / "peaks.yaml"

COLUMNS = ("month", "applications", "peak_factor", "event")
_NEEDED = COLUMNS[:2]
_NUMERIC = {"applications": (0.0, 1e11), "peak_factor": (1.0, 1e6)}
"""The least and the most: ten times mankind a month, and a month's applications in seconds."""
MOST_MONTHS = 600
_DAY = 86400.0
_YEAR = 12


class Shape(Section):
    """How a month's applications pile up: `day`, the busiest day over the mean day; `hour`, the
    share of that day's applications in its busiest hour; `burst`, the busiest minute over the mean
    minute of that hour."""

    day: Number = Field(ge=1)
    hour: Share = Field(ge=1 / 24)
    burst: Number = Field(ge=1)

    @property
    def factor(self) -> float:
        """Peak arrivals a second over the month's mean arrivals a second."""
        return self.day * self.hour * 24 * self.burst


class Event(Section):
    """Something that brings a peak; `months` (1 to 12) are those it happens in by itself."""

    about: Line
    months: tuple[Annotated[Count, Field(ge=1, le=12)], ...] = ()
    shape: Shape


class Peaks(Section):
    """The shape of an ordinary month, and of months with an event."""

    ordinary: Shape
    events: dict[str, Event]

    def factor(self, names: Sequence[str]) -> float:
        """The highest peak of the events, or an ordinary month's."""
        factors = [self.events[name].shape.factor for name in names]
        return max([self.ordinary.factor, *factors])

    def in_month(self, month: int) -> tuple[str, ...]:
        """The events of a month of the year (1 to 12), the highest peak first."""
        found = [name for name, event in self.events.items() if month in event.months]
        return tuple(sorted(found, key=lambda name: -self.events[name].shape.factor))


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """One month: customers who come in it (`applications`), `peak_factor` as `Shape.factor`, the
    events that make it, and `ahead`: which month of the plan it is, from 1."""

    month: str
    applications: float
    peak_factor: float
    events: tuple[str, ...]
    ahead: int

    @property
    def first(self) -> date:
        """The first day of the month."""
        return date(int(self.month[:4]), int(self.month[5:]), 1)

    @property
    def days(self) -> int:
        """How many days the month has."""
        return monthrange(self.first.year, self.first.month)[1]

    @property
    def peak(self) -> float:
        """Arrivals a second at the peak."""
        return self.applications / (self.days * _DAY) * self.peak_factor

    def spread(self, uncertainty: float) -> float:
        """What to multiply and divide the month by for a 95 % interval.

        `uncertainty` is the half-width of the interval a year ahead, as a share. Errors of growth
        add up from month to month, so it grows with the square root of time, as a random walk does.
        """
        return math.exp(math.log1p(uncertainty) * math.sqrt(self.ahead / _YEAR))


def load_peaks(path: Path = PEAKS) -> Peaks:
    """Read a file of peaks. Raises ScenarioProblems."""
    return load_settings(path, Peaks)


def grown(
    start_per_day: float, growth: float, months: int, first: date, peaks: Peaks
) -> tuple[Month, ...]:
    """`months` months from that of `first`, beginning with `start_per_day` applications a day and
    growing by the share `growth` a month, with the events that `peaks` puts into each."""
    found = []
    for nth in range(months):
        year, month = divmod(first.year * 12 + first.month - 1 + nth, 12)
        events = peaks.in_month(month + 1)
        found.append(
            Month(
                month=f"{year}-{month + 1:02d}",
                applications=start_per_day * (1 + growth) ** nth * monthrange(year, month + 1)[1],
                peak_factor=peaks.factor(events),
                events=events[:1],
                ahead=nth + 1,
            )
        )
    return tuple(found)


def read_forecast(path: Path, peaks: Peaks) -> tuple[Month, ...]:
    """Read a forecast: columns `month` (YYYY-MM) and `applications`, and if wanted `peak_factor`
    and `event` (several with `+` between). A factor outweighs events; without either the events
    that `peaks` puts into the month count.

    Raises ScenarioProblems with every mistake and its line.
    """
    table = read_table(path, "a CSV of months", short=True)
    mend = f"the first line is {','.join(COLUMNS)}"
    problems = table.check_names(COLUMNS, dict.fromkeys(_NEEDED, mend))
    if not problems and not table.rows:
        problems.append(table.problem("holds no month; write a line for each month"))
    if len(table.rows) > MOST_MONTHS:
        problems.append(table.problem(f"{len(table.rows)} months; leave at most {MOST_MONTHS}"))
    if problems:
        raise ScenarioProblems(fewer(problems))
    columns = TableColumns(table, tuple(_NUMERIC))
    columns.raise_problems()
    numbers = {
        name: columns.numbers(name, _between(columns.numerals, *bounds), required=name in _NEEDED)
        for name, bounds in _NUMERIC.items()
    }
    found: list[Month] = []
    events = table.column("event")
    for row, name in enumerate(_names(table.column("month"), columns)):
        those = _events(row, events[row], int(name[5:]), peaks, columns)
        factor = numbers["peak_factor"][row] if numbers["peak_factor"] else None
        found.append(
            Month(
                month=name,
                applications=numbers["applications"][row] or 0.0,
                peak_factor=peaks.factor(those) if factor is None else factor,
                events=those,
                ahead=row + 1,
            )
        )
    columns.raise_problems()
    if not any(month.applications for month in found):
        problem = table.problem("0 in every month; write how many customers come", "applications")
        raise ScenarioProblems([problem])
    return tuple(found)


def _between(numerals: Numerals, least: float, most: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        number = numerals.number(text)
        if number < least:
            raise ValueError(f"{text} is below {least:,.0f}; write {least:,.0f} or more")
        if number > most:
            raise ValueError(f"{text} is above {most:,.0f}; write {most:,.0f} or less")
        return number

    return read


def _names(cells: Sequence[str], columns: TableColumns) -> list[str]:
    """The months by row, with stand-ins for what is wrong."""
    found: list[str] = []
    for row, cell in enumerate(cells):
        before = found[-1] if found else None
        first = read_month(cell)
        if first is None:
            mend = "is not a month; write one such as 2027-03"
            columns.report(row, "month", f"{quoted(cell)} {mend}")
            found.append(before or "2000-01")
            continue
        name = f"{first.year:04d}-{first.month:02d}"
        if before is not None and name != (expected := _after(before)):
            columns.report(row, "month", f"{cell} does not follow {before}; write {expected}")
        found.append(name)
    return found


def _after(month: str) -> str:
    year, before = divmod(int(month[:4]) * 12 + int(month[5:]), 12)
    return f"{year:04d}-{before + 1:02d}"


def _events(
    row: int, written: str, month: int, peaks: Peaks, columns: TableColumns
) -> tuple[str, ...]:
    if is_missing(written):
        return peaks.in_month(month)[:1]
    events = tuple(name.strip() for name in written.split("+"))
    unknown = [name for name in events if name not in peaks.events]
    for name in unknown:
        near = get_close_matches(name[:LONGEST], peaks.events, n=1)
        mend = f"did you mean {near[0]}?" if near else f"write {', '.join(peaks.events)}"
        columns.report(row, "event", f"there is no event {quoted(name)}; {mend}")
    return tuple(name for name in events if name not in unknown)
