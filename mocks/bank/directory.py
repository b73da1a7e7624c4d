"""Who holds which card, as far as the issuing banks of a run know."""

from __future__ import annotations

from hashlib import blake2b
from typing import Protocol

import msgspec

from scenarios.customer import Customer

CHUNK = 256
HEADROOM = 10_000
_DIGEST_BITS = 64
_DIGEST = (1 << _DIGEST_BITS) - 1


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


class Customers(Protocol):
    """The population: its n-th arrival, whatever was asked before."""

    def customer(self, n: int) -> Customer: ...


class PopulationDirectory:
    """The cards of a population's arrivals, learnt in their order as they are asked for.

    A bank looks up by card number and a population only by arrival, so a card not seen yet makes
    the directory learn further arrivals until it is found. It goes no further than HEADROOM
    arrivals beyond twice the last one found, so that foreign cards cost little. It holds a digest
    of the elements, never the elements.
    """

    def __init__(self, customers: Customers) -> None:
        self._customers = customers
        # The arrival's number above the digest of its elements, in one integer for little memory.
        self._holders: dict[int, int] = {}
        self._learnt = 0
        self._last_found = 0

    def agrees(self, card_number: str, elements: Elements) -> bool | None:
        card = int(card_number)
        holder = self._holders.get(card)
        while holder is None and self._learnt < 2 * self._last_found + HEADROOM:
            self._learn()
            holder = self._holders.get(card)
        if holder is None:
            return None
        self._last_found = max(self._last_found, holder >> _DIGEST_BITS)
        return holder & _DIGEST == _digest(elements)

    def _learn(self) -> None:
        for number in range(self._learnt, self._learnt + CHUNK):
            customer = self._customers.customer(number)
            digest = _digest(Elements(customer.name, customer.id_number, customer.phone))
            self._holders[int(customer.card_number)] = number << _DIGEST_BITS | digest
        self._learnt += CHUNK


def _digest(elements: Elements) -> int:
    text = f"{elements.holder}\0{elements.id_number}\0{elements.phone}"
    return int.from_bytes(blake2b(text.encode(errors="replace"), digest_size=8).digest(), "little")
