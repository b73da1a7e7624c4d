"""Who holds which card, as far as the issuing banks of a run know."""

from __future__ import annotations

from typing import Protocol

import msgspec

from scenarios.population import Population

MOST_CARDS = 10_000_000
"""Arrivals whose cards are known. Card numbers beyond are left to strangers: a short account number
would otherwise always belong to somebody."""


class Elements(msgspec.Struct, frozen=True):
    """The three elements that must agree with the card, which is the fourth."""

    holder: str
    id_number: str
    phone: str


class Directory(Protocol):
    """What the bank asks to verify four elements."""

    def agrees(self, card_number: str, elements: Elements) -> bool | None:
        """Whether `elements` are those of the holder of `card_number` (digits); None for a card
        that nobody is known to hold."""


class PopulationDirectory:
    """The cards of a population's arrivals, those still to come included.

    It remembers nothing: the population finds the holder of a card from its number.
    """

    def __init__(self, population: Population) -> None:
        self._population = population

    def agrees(self, card_number: str, elements: Elements) -> bool | None:
        holder = self._population.holder(card_number)
        if holder is None or holder.number >= MOST_CARDS:
            return None
        return elements == Elements(holder.name, holder.id_number, holder.phone)
