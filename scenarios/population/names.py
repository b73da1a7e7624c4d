"""Chinese names from Faker's zh_CN lists, read once: Faker is too slow to call per customer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from scenarios.population.weighted import Weighted


class Names(NamedTuple):
    """Surnames with the weights of the whole country, given names by sex."""

    surnames: Weighted[str]
    men: Weighted[str]
    women: Weighted[str]


@cache
def names() -> Names:
    """Faker's lists."""
    from faker.providers.person.zh_CN import Provider  # slow to import, as in regions

    return Names(
        surnames=Weighted(_weights(Provider.last_names)),
        men=Weighted(_weights(Provider.first_names_male)),
        women=Weighted(_weights(Provider.first_names_female)),
    )


@cache
def given_characters() -> tuple[str, ...]:
    """Every character that occurs in a given name, in a fixed order."""
    lists = names()
    return tuple(sorted({char for name in lists.men.items + lists.women.items for char in name}))


def _weights(entries: Iterable[str]) -> dict[str, float]:
    # Faker writes a list either as names with weights or as bare names.
    if isinstance(entries, Mapping):
        return {name: float(weight) for name, weight in entries.items()}
    return dict.fromkeys(entries, 1.0)
