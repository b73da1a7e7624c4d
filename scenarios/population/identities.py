"""Who the n-th person is: a stratum drawn by weight, then a place of its own in the stratum."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from scenarios.population.ages import AgeBand, parse_band
from scenarios.population.identity import check_digit
from scenarios.population.names import names
from scenarios.population.permutation import Permutation, RoundTables
from scenarios.population.regions import counties, province_weights
from scenarios.population.weighted import Weighted

if TYPE_CHECKING:
    from scenarios.schema import Population as PopulationSpec

SHARE_OF_MEN = 0.5124
"""Seventh National Population Census, 2020."""

MEN = tuple(f"{sequence:03d}" for sequence in range(1, 1000, 2))
WOMEN = tuple(f"{sequence:03d}" for sequence in range(2, 1000, 2))
"""Sequence codes of an ID number: odd for men, even for women; 000 is left out."""


class Identity(NamedTuple):
    """A person. Nobody here exists."""

    name: str
    id_number: str
    birth_date: date
    province: str


class Stratum:
    """People of one province, age band and sex.

    Its places are all (county and sequence, birth date) pairs; a permutation gives the n-th person
    one of them, so that no two people of a stratum share an ID number. Strata have no number in
    common: they differ in province, birth dates or the sequence's parity.
    """

    __slots__ = ("_births", "_counties", "_given", "_places", "_sequences", "province")

    def __init__(
        self,
        province: str,
        births: tuple[tuple[date, str], ...],
        sequences: tuple[str, ...],
        given: Weighted[str],
        tables: RoundTables,
    ) -> None:
        self.province = province
        self._births = births
        self._counties = counties()[province]
        self._sequences = sequences
        self._given = given
        self._places = Permutation(tables, len(self._counties) * len(sequences), len(births))

    def person(self, number: int, surname: str, word: int) -> Identity:
        """The person at place `number`, whose given name `word` draws."""
        row, column = self._places.place(number)
        county, sequence = divmod(row, len(self._sequences))
        born, digits = self._births[column]
        first17 = f"{self._counties[county]}{digits}{self._sequences[sequence]}"
        return Identity(
            surname + self._given.at(word), first17 + check_digit(first17), born, self.province
        )


def strata(spec: PopulationSpec, tables: RoundTables) -> Weighted[Stratum]:
    """Every stratum with people in it, by its weight."""
    provinces = spec.provinces or province_weights()
    bands = {parse_band(text): weight for text, weight in spec.ages.items() if weight > 0}
    births = {band: band.births() for band in bands}
    lists = names()
    sexes = ((MEN, lists.men, SHARE_OF_MEN), (WOMEN, lists.women, 1 - SHARE_OF_MEN))
    return Weighted(
        {
            Stratum(province, births[band], sequences, given, tables): weight * share * part
            for province, weight in provinces.items()
            for band, share in bands.items()
            for sequences, given, part in sexes
        }
    )


def places(province: str, band: AgeBand) -> int:
    """Distinct ID numbers in the smaller of the two strata of `province` and `band`."""
    return len(counties()[province]) * len(WOMEN) * band.days
