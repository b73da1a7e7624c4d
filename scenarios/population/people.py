"""The customers of a run, each a function of (seed, specification, number) alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scenarios.customer import Customer
from scenarios.keyed import Keyed
from scenarios.population.cards import (
    CardRange,
    card_ranges,
    debit_ranges,
    is_luhn,
    issuer_weights,
    luhn_digit,
)
from scenarios.population.identities import Identity, strata
from scenarios.population.names import names
from scenarios.population.permutation import Permutation, RoundTables
from scenarios.population.phones import prefixes
from scenarios.population.validity import check
from scenarios.population.weighted import WORD

if TYPE_CHECKING:
    from scenarios.schema import Population as PopulationSpec

MOST_ARRIVALS = 10**9
"""Arrivals in a run: the accounts under the BIN with the fewest, so that no card comes twice."""


_REMEMBERED = 10_000
"""Customers of one generation: those who are in the system at some fifty arrivals a second."""


class _Draws(NamedTuple):
    """The 32-bit words of one arrival, one for each choice."""

    stratum: int
    surname: int
    given_name: int
    prefix: int
    card: int
    returning: int
    earlier: int


class Population:
    """The people who arrive. `customer(n)` is the same whatever was asked before, and wherever.

    Of the first `spec.size` arrivals, a share `spec.returning` are people seen earlier, with their
    identity and phone and another card; the rest are new. Once all `spec.size` have arrived, every
    further arrival is somebody seen earlier. ID numbers and phones of different people, and all
    card numbers, differ by construction.
    """

    def __init__(self, spec: PopulationSpec, seed: int) -> None:
        """Raises ValueError, as `check` does, for a specification that cannot be honoured."""
        check(spec)
        self.size = spec.size
        # Customers of late, in two generations: a bank asks about the holder of a card soon.
        self._young: dict[int, Customer] = {}
        self._elder: dict[int, Customer] = {}
        self._returning = round(spec.returning * WORD)
        self._keyed = Keyed(seed)
        tables = RoundTables(seed)
        self._strata = strata(spec, tables)
        self._surnames = names().surnames
        self._prefixes = prefixes()
        self._phones = Permutation(tables, 10**4, 10**4)
        self._ranges = debit_ranges(spec.banks or issuer_weights())
        self._accounts = {
            known: _accounts(tables, known.account_digits) for known in self._ranges.items
        }

    def customer(self, n: int) -> Customer:
        """The n-th arrival, counted from 0.

        Raises ValueError for a number below 0, or of `MOST_ARRIVALS` and more.
        """
        known = self._young.get(n) or self._elder.get(n)
        if known is not None:
            return known
        customer = self._drawn(n)
        self._young[n] = customer
        if len(self._young) >= _REMEMBERED:
            self._elder, self._young = self._young, {}
        return customer

    def _drawn(self, n: int) -> Customer:
        if not 0 <= n < MOST_ARRIVALS:
            raise ValueError(f"there is no arrival {n}; numbers go from 0 to {MOST_ARRIVALS - 1}")
        draws = own = self._draws(n)
        person = n
        # An earlier arrival may itself be somebody seen before; numbers fall, and 0 is always new.
        while self._returns(person, own):
            person = own.earlier * min(person, self.size) // WORD
            own = self._draws(person)
        identity = self._identity(person, own)
        held = self._ranges.at(draws.card)
        return Customer(
            number=n,
            person=person,
            name=identity.name,
            id_number=identity.id_number,
            birth_date=identity.birth_date,
            province=identity.province,
            phone=self._phone(person, own),
            card_number=self._card_number(held, n),
            issuer=held.issuer,
        )

    def holder(self, card_number: str) -> Customer | None:
        """The arrival to whom `card_number` belongs, None for a card that nobody holds.

        The permutation is undone, so no register of cards is needed, whatever process asks.
        """
        held = card_ranges().get(card_number[:6])
        if held not in self._accounts or not is_luhn(card_number):
            return None
        if len(card_number) != held.length:
            return None
        accounts = self._accounts[held]
        place = divmod(int(card_number[6:-1]), accounts.columns)
        number = accounts.number(*place)
        if number >= MOST_ARRIVALS:
            return None
        customer = self.customer(number)
        return customer if customer.card_number == card_number else None

    def _draws(self, number: int) -> _Draws:
        return _Draws._make(self._keyed.words("customer", number)[:7])

    def _returns(self, number: int, draws: _Draws) -> bool:
        return number >= self.size or (draws.returning < self._returning and number > 0)

    def _identity(self, person: int, draws: _Draws) -> Identity:
        surname = self._surnames.at(draws.surname)
        return self._strata.at(draws.stratum).person(person, surname, draws.given_name)

    def _phone(self, person: int, draws: _Draws) -> str:
        row, column = self._phones.place(person)
        return f"{self._prefixes.at(draws.prefix)}{row:04d}{column:04d}"

    def _card_number(self, held: CardRange, number: int) -> str:
        accounts = self._accounts[held]
        row, column = accounts.place(number)
        payload = f"{held.bin}{row * accounts.columns + column:0{held.account_digits}d}"
        return payload + luhn_digit(payload)


def _accounts(tables: RoundTables, digits: int) -> Permutation:
    return Permutation(tables, 10 ** (digits - digits // 2), 10 ** (digits // 2))
