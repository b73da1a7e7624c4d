"""Typos differ from the truth and keep what they promise."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scenarios.customer import Customer
from scenarios.population import Population, cards, phones
from scenarios.population.identity import is_valid_id_number
from scenarios.population.typos import mistype
from scenarios.schema import Population as Spec

POPULATION = Population(Spec(), seed=21)
CUSTOMERS = st.integers(0, 100_000).map(POPULATION.customer)
UNIFORM = st.floats(0, 1, exclude_max=True)


def changed(text: str, typed: str) -> list[int]:
    assert len(typed) == len(text)
    return [i for i, (a, b) in enumerate(zip(text, typed, strict=True)) if a != b]


def is_one_slip(text: str, typed: str) -> bool:
    at = changed(text, typed)
    if len(at) == 1:
        return True
    swapped = len(at) == 2 and at[1] == at[0] + 1
    return swapped and typed[at[0]] == text[at[1]] and typed[at[1]] == text[at[0]]


@given(CUSTOMERS, UNIFORM)
def test_mistyped_id_number_fails_its_check(customer: Customer, uniform: float) -> None:
    typed = mistype(customer.id_number, uniform)
    assert is_one_slip(customer.id_number, typed)
    assert not is_valid_id_number(typed)


@given(CUSTOMERS, UNIFORM)
def test_mistyped_card_number(customer: Customer, uniform: float) -> None:
    typed = mistype(customer.card_number, uniform)
    assert is_one_slip(customer.card_number, typed)
    assert typed.isdigit()
    at = changed(customer.card_number, typed)
    nine_for_zero = {customer.card_number[i] for i in at} == {"0", "9"} and len(at) == 2
    assert cards.is_luhn(typed) == nine_for_zero


@given(CUSTOMERS, UNIFORM)
def test_mistyped_phone_keeps_prefix_and_form(customer: Customer, uniform: float) -> None:
    typed = mistype(customer.phone, uniform)
    assert is_one_slip(customer.phone, typed)
    assert typed[:3] == customer.phone[:3]
    assert phones.is_mobile(typed)


@given(st.from_regex(r"[0-9]{4,8}", fullmatch=True), UNIFORM)
def test_mistyped_code(code: str, uniform: float) -> None:
    typed = mistype(code, uniform)
    assert is_one_slip(code, typed)
    assert typed.isdigit()


@given(CUSTOMERS, UNIFORM)
def test_mistyped_name_has_one_other_character_after_the_surname(
    customer: Customer, uniform: float
) -> None:
    typed = mistype(customer.name, uniform)
    (at,) = changed(customer.name, typed)
    assert at > 0
    assert not typed.isascii()


@given(CUSTOMERS, UNIFORM)
def test_the_same_draw_makes_the_same_mistake(customer: Customer, uniform: float) -> None:
    assert mistype(customer.card_number, uniform) == mistype(customer.card_number, uniform)


def test_draws_reach_every_place_and_both_kinds() -> None:
    text = "13512345678"
    slips = [changed(text, mistype(text, step / 4_000)) for step in range(4_000)]
    assert {at[0] for at in slips if len(at) == 1} == set(range(3, 11))
    swaps = sum(len(at) == 2 for at in slips) / len(slips)
    assert 0.10 < swaps < 0.13
