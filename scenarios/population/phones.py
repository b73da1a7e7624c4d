"""Mobile numbers: 11 digits, by carrier prefix."""

from __future__ import annotations

import re
from functools import cache

from scenarios.population.tables import rows
from scenarios.population.weighted import Weighted

_MOBILE = re.compile(
    r"1(?:3[0-9]|4[5-79]|5[0-35-9]|6[5-7]|7[0-8]|8[0-9]|9[0125-9])[0-9]{8}"
)  # fmt: skip


def is_mobile(text: str) -> bool:
    """Whether `text` has the form of a mainland mobile number."""
    return _MOBILE.fullmatch(text) is not None


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
    """Prefixes in use, each with its part of the carrier's weight."""
    weights: dict[str, float] = {}
    for row in rows("carriers"):
        own = row["prefixes"].split()
        weights.update(dict.fromkeys(own, float(row["weight"]) / len(own)))
    return Weighted(weights)


@cache
def _carriers() -> dict[str, str]:
    return {
        prefix: row["carrier"] for row in rows("carriers") for prefix in row["prefixes"].split()
    }
