"""Mobile numbers: 11 digits, by carrier prefix."""

from __future__ import annotations

from functools import cache

from scenarios.data_files import read_table
from scenarios.population.weighted import Weighted

_DIGITS = 11


def is_mobile(text: str) -> bool:
    """Whether `text` has the form of a mainland mobile number: 11 digits in a segment of
    `carriers.csv`."""
    return len(text) == _DIGITS and text.isascii() and text.isdigit() and text[:3] in _carriers()


def carrier_of(phone: str) -> str | None:
    """The carrier by prefix (`mobile`, `telecom`, `unicom`, `broadnet`, `mvno`), None if unknown.

    A ported number keeps its prefix, so this is the carrier that first issued it.
    """
    return _carriers().get(phone[:3])


def carriers() -> tuple[str, ...]:
    """Every carrier that `carrier_of` knows."""
    return tuple(dict.fromkeys(_carriers().values()))


def masked(phone: str) -> str:
    """The first three and last four digits; all stars when it is no mobile number."""
    return f"{phone[:3]}****{phone[-4:]}" if is_mobile(phone) else "*" * len(phone)


@cache
def prefixes() -> Weighted[str]:
    """Prefixes that people have, each with its part of the carrier's weight."""
    weights: dict[str, float] = {}
    for row in _table():
        own = row["prefixes"].split()
        weights.update(dict.fromkeys(own, float(row["weight"]) / len(own)))
    return Weighted(weights)


@cache
def _carriers() -> dict[str, str]:
    return {
        prefix: row["carrier"]
        for row in _table()
        for prefix in row["prefixes"].split() + row["also"].split()
    }


def _table() -> tuple[dict[str, str], ...]:
    return read_table("scenarios.population", "carriers.csv")
