"""One synthetic customer. Nobody here exists."""

from __future__ import annotations

from datetime import date

import msgspec


class Customer(msgspec.Struct, frozen=True, gc=False):
    """The n-th arrival of a run, as drawn by `scenarios.population`.

    `person` is the index whose identity this is: smaller than `number` for somebody who comes back
    to bind a second card, equal to it otherwise.
    """

    number: int
    person: int
    name: str
    id_number: str
    birth_date: date
    province: str
    phone: str
    card_number: str
    issuer: str

    @property
    def returning(self) -> bool:
        """Whether an earlier arrival already registered this person."""
        return self.person != self.number
