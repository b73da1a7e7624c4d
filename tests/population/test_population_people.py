"""The customers of a run: fields that agree, uniqueness, repeatability, the mix that was asked."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from scenarios.customer import Customer
from scenarios.population import Population, cards, phones
from scenarios.population.ages import parse_band
from scenarios.population.identities import SHARE_OF_MEN
from scenarios.population.identity import (
    REFERENCE_DATE,
    age_on,
    birth_date,
    is_valid_id_number,
)
from scenarios.population.names import names
from scenarios.population.people import MOST_ARRIVALS
from scenarios.population.regions import counties, province_weights
from scenarios.schema import Population as Spec

MANY = 50_000
DEFAULT = Population(Spec(), seed=11)
ARRIVALS = [DEFAULT.customer(n) for n in range(MANY)]


def fits(counts: Mapping[str, int], weights: Mapping[str, float]) -> bool:
    """Chi-square at one in a million, so that no seed is unlucky."""
    total, mass = sum(counts.values()), sum(weights.values())
    observed = [counts.get(key, 0) for key in weights]
    expected = [total * weight / mass for weight in weights.values()]
    assert sum(observed) == total
    return bool(chisquare(observed, expected).pvalue > 1e-6)


@settings(deadline=None)
@given(st.integers(0, 2**63), st.integers(0, MOST_ARRIVALS - 1))
def test_fields_agree_with_each_other(seed: int, n: int) -> None:
    customer = Population(SMALL_SPEC, seed).customer(n)
    assert is_valid_id_number(customer.id_number, REFERENCE_DATE)
    assert customer.id_number[:6] in counties()[customer.province]
    assert birth_date(customer.id_number) == customer.birth_date
    assert customer.province in SMALL_SPEC.provinces
    assert 18 <= age_on(customer.id_number, REFERENCE_DATE) <= 24
    assert customer.id_number[14:17] != "000"
    assert phones.is_mobile(customer.phone)
    assert cards.is_luhn(customer.card_number)
    assert cards.issuer_of(customer.card_number) == customer.issuer
    known = cards.card_ranges()[customer.card_number[:6]]
    assert known.type == "debit"
    assert len(customer.card_number) == known.length


SMALL_SPEC = Spec(size=3_000, provinces={"11": 1, "44": 2}, ages={"18-24": 1}, returning=0.3)


def test_given_name_matches_the_sex_in_the_id_number() -> None:
    men, women = set(names().men.items), set(names().women.items)
    surnames = set(names().surnames.items)
    for customer in ARRIVALS[:5_000]:
        given_names = men if int(customer.id_number[16]) % 2 else women
        assert any(
            customer.name[:cut] in surnames and customer.name[cut:] in given_names for cut in (1, 2)
        )


@pytest.mark.parametrize(
    ("spec", "arrivals"),
    [
        (Spec(returning=0.1), MANY),
        (Spec(size=40, returning=0.5), 400),
        (Spec(size=1), 20),
        (Spec(returning=1.0), 200),
        (Spec(size=3_000, provinces={"11": 1}, ages={"30-30": 1}, banks={"cib": 1}), 9_000),
    ],
    ids=["large", "beyond a small size", "one person", "all return", "one stratum"],
)
def test_unique_within_a_run(spec: Spec, arrivals: int) -> None:
    population = Population(spec, seed=3)
    everybody = [population.customer(n) for n in range(arrivals)]
    people = [customer for customer in everybody if not customer.returning]
    assert len({customer.card_number for customer in everybody}) == arrivals
    assert len({customer.id_number for customer in people}) == len(people)
    assert len({customer.phone for customer in people}) == len(people)
    assert len(people) <= spec.size


def test_a_full_stratum_gives_each_of_its_numbers_once() -> None:
    spec = Spec(provinces={"11": 1}, ages={"30-30": 1}, size=len(counties()["11"]) * 499 * 365)
    population = Population(spec, seed=5)
    step = spec.size // 20_000
    drawn = [population.customer(n) for n in range(0, spec.size, step)]
    new = [customer.id_number for customer in drawn if not customer.returning]
    assert len(set(new)) == len(new)


def test_returning_people_came_before_with_another_card() -> None:
    population = Population(Spec(size=2_000, returning=0.4), seed=9)
    everybody = [population.customer(n) for n in range(3_000)]
    returning = [customer for customer in everybody if customer.returning]
    assert not everybody[0].returning
    for customer in returning:
        first = everybody[customer.person]
        assert customer.person < customer.number
        assert not first.returning
        assert identity(customer) == identity(first)
        assert customer.card_number != first.card_number
    share = sum(customer.number < 2_000 for customer in returning) / 2_000
    assert 0.35 < share < 0.45
    assert all(customer.returning for customer in everybody[2_000:])


def identity(customer: Customer) -> tuple[str, str, date, str, str]:
    return (
        customer.name,
        customer.id_number,
        customer.birth_date,
        customer.province,
        customer.phone,
    )


def test_the_same_whatever_the_order_and_the_instance() -> None:
    numbers = list(range(2_000))
    random.Random(1).shuffle(numbers)
    other = Population(Spec(), seed=11)
    assert {n: other.customer(n) for n in numbers} == dict(enumerate(ARRIVALS[:2_000]))


def test_the_same_in_another_process() -> None:
    program = (
        "from scenarios.population import Population; from scenarios.schema import Population as S;"
        "p = Population(S(), seed=11); print(repr(p.customer(4321)))"
    )
    told = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program],
        check=True,
        capture_output=True,
        encoding="utf-8",
        env={"PYTHONHASHSEED": "77", "PYTHONPATH": ":".join(sys.path)},
    )
    assert told.stdout.strip() == repr(ARRIVALS[4321])


def test_another_seed_gives_other_people() -> None:
    other = Population(Spec(), seed=12)
    same = sum(other.customer(n).id_number == ARRIVALS[n].id_number for n in range(1_000))
    assert same == 0


def test_mix_by_province_age_bank_carrier_and_sex() -> None:
    people = [customer for customer in ARRIVALS if not customer.returning]
    assert fits(Counter(customer.province for customer in people), province_weights())
    assert fits(Counter(customer.issuer for customer in ARRIVALS), cards.issuer_weights())
    ages = Spec().ages
    bands = {band: tuple(map(int, band.split("-"))) for band in ages}
    years = [age_on(customer.id_number, REFERENCE_DATE) for customer in people]
    banded = Counter(
        next(band for band, (low, high) in bands.items() if low <= age <= high) for age in years
    )
    assert fits(banded, ages)
    carriers = Counter(phones.carrier_of(customer.phone) or "" for customer in people)
    assert fits(
        carriers, {"mobile": 1000, "telecom": 417, "unicom": 339, "broadnet": 66, "mvno": 40}
    )
    men = sum(int(customer.id_number[16]) % 2 for customer in people)
    assert fits(
        {"men": men, "women": len(people) - men}, {"men": SHARE_OF_MEN, "women": 1 - SHARE_OF_MEN}
    )


def test_numbers_inside_a_stratum_look_random() -> None:
    beijing = Population(Spec(provinces={"11": 1}, ages={"25-34": 1}), seed=2)
    drawn = [beijing.customer(n) for n in range(20_000)]
    counties_drawn = Counter(customer.id_number[:6] for customer in drawn)
    assert fits(counties_drawn, dict.fromkeys(counties()["11"], 1.0))
    assert fits(Counter(customer.phone[-1] for customer in drawn), dict.fromkeys("0123456789", 1.0))
    band = parse_band("25-34")
    days = Counter(str(born.year) for born, _ in band.births())
    assert fits(Counter(str(customer.birth_date.year) for customer in drawn), days)


def test_weights_of_a_scenario_are_honoured() -> None:
    spec = Spec(provinces={"44": 3, "31": 1, "11": 0}, banks={"cmb": 1, "pingan": 4})
    population = Population(spec, seed=1)
    drawn = [population.customer(n) for n in range(8_000)]
    new = [customer for customer in drawn if not customer.returning]
    assert fits(Counter(customer.province for customer in new), {"44": 3, "31": 1})
    assert fits(Counter(customer.issuer for customer in drawn), spec.banks)


def test_holder_of_a_card() -> None:
    for customer in ARRIVALS[:500]:
        assert DEFAULT.holder(customer.card_number) == customer
    missing = cards.luhn_digit("621626100000000001")
    assert DEFAULT.holder("621626100000000001" + missing) is None
    assert DEFAULT.holder(ARRIVALS[0].card_number[:-1]) is None
    assert DEFAULT.holder("") is None


@pytest.mark.parametrize("n", [-1, MOST_ARRIVALS])
def test_there_is_no_such_arrival(n: int) -> None:
    with pytest.raises(ValueError, match="there is no arrival"):
        DEFAULT.customer(n)


def test_placeholder_codes_are_no_counties() -> None:
    found = counties()
    assert set(found) == set(province_weights())
    assert "110101" in found["11"]
    assert "130101" not in found["13"]
    assert all(codes and not any(code.endswith("00") for code in codes) for codes in found.values())


def test_validating_an_id_number_does_not_load_faker() -> None:
    program = "import sys, scenarios.population.identity; sys.exit('faker' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == 0
