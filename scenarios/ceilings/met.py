"""A ceiling that a run met."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

import msgspec

from scenarios.ceilings.readings import Reading
from scenarios.units import format_duration

IN_A_ROW = 10
"""Looks, about a second apart, for which a ceiling that has no error of its own must hold without
a break. A start, a collection of garbage or a neighbour's burst on a busy machine is over sooner;
what lasts so long shapes the figures."""


class Met(msgspec.Struct, frozen=True, kw_only=True):
    """`ceiling` of `process` was met from `at` to `until`, in seconds since the run began; `detail`
    says how far, and of what."""

    ceiling: str
    process: str
    at: float
    until: float
    detail: str

    @property
    def text(self) -> str:
        """One line for people."""
        began, ended = (format_duration(max(0.0, float(round(t)))) for t in (self.at, self.until))
        when = f"at {began}" if began == ended else f"from {began} to {ended}"
        return f"{self.ceiling} of {self.process}: {self.detail}, {when}"


def of_each_process(readings: Iterable[Reading]) -> list[list[Reading]]:
    """The readings of each process, in their order."""
    ordered = sorted(readings, key=lambda reading: (*_whose(reading), reading.at))
    return [list(group) for _, group in groupby(ordered, key=_whose)]


def _whose(reading: Reading) -> tuple[str, str]:
    return reading.host, reading.process


def longest_row(readings: Sequence[Reading], holds: Callable[[Reading], bool]) -> Sequence[Reading]:
    """The longest unbroken row of `readings` for which `holds`."""
    rows = (list(row) for held, row in groupby(readings, key=holds) if held)
    return max(rows, key=len, default=[])


def seen(ceiling: str, row: Sequence[Reading], detail: str, process: str = "") -> Met:
    """The ceiling as met in `row`, which is not empty; times are epoch seconds yet."""
    return Met(
        ceiling=ceiling,
        process=process or f"the {row[0].process}",
        at=row[0].at - row[0].seconds,
        until=row[-1].at,
        detail=detail,
    )


def errors_in(readings: Iterable[Reading], names: Sequence[str]) -> dict[str, int]:
    """How often the errors called `names` came, without those that never did."""
    found = dict.fromkeys(names, 0)
    for reading in readings:
        for name in names:
            found[name] += reading.errors.get(name, 0)
    return {name: count for name, count in found.items() if count}


def errors_in_words(errors: dict[str, int]) -> str:
    """Such as `12 times EMFILE`."""
    return ", ".join(f"{count:,} times {name}" for name, count in errors.items())
