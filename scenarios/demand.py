"""What is expected to come, by month: applications, and the peak arrivals a second they make."""

from __future__ import annotations

import csv
import math
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import msgspec
from pydantic import Field

from scenarios.plain_text import Line
from scenarios.problems import Problem, ScenarioProblems
from scenarios.section import Section
from scenarios.settings_file import load_settings
from scenarios.units import Count, Number, Share

PLANS = Path(__file__).with_name("plans")
FORECAST = PLANS / "forecast.csv"
PEAKS = PLANS / "peaks.yaml"

COLUMNS = ("month", "applications", "peak_factor", "event")
_NEEDED = COLUMNS[:2]
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
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise _problems(path, 0, "", "there is no such file; give a CSV of months") from None
    except UnicodeDecodeError:
        raise _problems(path, 0, "", "is not UTF-8; save the file as UTF-8") from None
    except OSError as error:
        raise _problems(path, 0, "", f"cannot be read: {error.strerror}") from None
    rows = csv.DictReader(lines, skipinitialspace=True)
    heads = [head.strip() for head in rows.fieldnames or ()]
    rows.fieldnames = heads
    problems = [_unknown(path, head) for head in heads if head not in COLUMNS]
    problems += [
        Problem(str(path), 1, name, f"is missing; the first line is {','.join(COLUMNS)}")
        for name in _NEEDED
        if name not in heads
    ]
    if problems:
        raise ScenarioProblems(problems)
    found: list[Month] = []
    for row in rows:
        reader = _Row(str(path), rows.line_num, row, peaks, problems)
        found.append(reader.month(len(found) + 1, found[-1].month if found else None))
    if not found:
        problems.append(Problem(str(path), 1, "", "holds no month; write a line for each month"))
    if problems:
        raise ScenarioProblems(problems)
    return tuple(found)


class _Row:
    """One line of a forecast; what is wrong with it goes to `problems`."""

    def __init__(
        self,
        file: str,
        line: int,
        row: Mapping[str | None, str | list[str] | None],
        peaks: Peaks,
        problems: list[Problem],
    ) -> None:
        self._file = file
        self._line = line
        self._cells = {
            key: value.strip()
            for key, value in row.items()
            if key is not None and isinstance(value, str)
        }
        self._peaks = peaks
        self._problems = problems
        if None in row:
            self._wrong("", "has more cells than the first line; write as many")

    def month(self, ahead: int, before: str | None) -> Month:
        """The month, with stand-ins for what is wrong."""
        name = self._name(before)
        applications = self._number("applications", 0.0)
        events = self._events(int(name[5:]))
        factor = self._peaks.factor(events)
        if self._cells.get("peak_factor"):
            factor = self._number("peak_factor", 1.0)
        return Month(
            month=name,
            applications=applications,
            peak_factor=factor,
            events=events,
            ahead=ahead,
        )

    def _name(self, before: str | None) -> str:
        written = self._cells.get("month", "")
        try:
            first = date.fromisoformat(f"{written}-01")
        except ValueError:
            self._wrong("month", f"{written!r} is not a month; write one such as 2027-03")
            return before or "2000-01"
        if before is not None:
            year, month = divmod(int(before[:4]) * 12 + int(before[5:]), 12)
            expected = f"{year}-{month + 1:02d}"
            if written != expected:
                self._wrong("month", f"{written} does not follow {before}; write {expected}")
        return f"{first:%Y-%m}"

    def _number(self, column: str, least: float) -> float:
        written = self._cells.get(column, "")
        try:
            number = float(written)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self._wrong(column, f"{written!r} is not a number; write one such as 120000")
            return least
        if number < least:
            self._wrong(column, f"{written} is below {least:g}; write {least:g} or more")
            return least
        return number

    def _events(self, month: int) -> tuple[str, ...]:
        written = self._cells.get("event", "")
        if not written:
            return self._peaks.in_month(month)[:1]
        events = tuple(name.strip() for name in written.split("+"))
        unknown = [name for name in events if name not in self._peaks.events]
        for name in unknown:
            near = get_close_matches(name, self._peaks.events, n=1)
            mend = f"did you mean {near[0]}?" if near else f"write {', '.join(self._peaks.events)}"
            self._wrong("event", f"there is no event {name!r}; {mend}")
        return tuple(name for name in events if name not in unknown)

    def _wrong(self, field: str, message: str) -> None:
        self._problems.append(Problem(self._file, self._line, field, message))


def _unknown(path: Path, head: str) -> Problem:
    near = get_close_matches(head, COLUMNS, n=1)
    mend = f"did you mean {near[0]}?" if near else f"write {','.join(COLUMNS)}"
    return Problem(str(path), 1, head, f"there is no such column; {mend}")


def _problems(path: Path, line: int, field: str, message: str) -> ScenarioProblems:
    return ScenarioProblems([Problem(str(path), line, field, message)])
