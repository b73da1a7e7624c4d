"""Age bands such as 25-34, and the birth dates that belong to them on the reference date."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from scenarios.population.identity import REFERENCE_DATE

OLDEST = 120
_BAND = re.compile(r"([0-9]{1,3})-([0-9]{1,3})")


class AgeBand(NamedTuple):
    """Ages from `low` to `high` full years, both included."""

    low: int
    high: int

    @property
    def first_birth(self) -> int:
        """Proleptic ordinal of the earliest date of birth."""
        turned = REFERENCE_DATE.replace(year=REFERENCE_DATE.year - self.high - 1)
        return turned.toordinal() + 1

    @property
    def days(self) -> int:
        """How many dates of birth there are."""
        youngest = REFERENCE_DATE.replace(year=REFERENCE_DATE.year - self.low)
        return youngest.toordinal() - self.first_birth + 1

    def births(self) -> tuple[tuple[date, str], ...]:
        """All dates of birth, each with its YYYYMMDD."""
        first = self.first_birth
        dates = (date.fromordinal(first + day) for day in range(self.days))
        return tuple((born, f"{born:%Y%m%d}") for born in dates)


def parse_band(text: str) -> AgeBand:
    """The band that `"25-34"` names.

    Raises ValueError, naming what is accepted, on anything else.
    """
    match = _BAND.fullmatch(text)
    band = AgeBand(int(match[1]), int(match[2])) if match else None
    if band is None or not band.low <= band.high <= OLDEST:
        raise ValueError(f"{text!r} is not an age band; write two ages from 0 to {OLDEST}: 25-34")
    return band
