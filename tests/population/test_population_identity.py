"""ID numbers by GB 11643-1999, against the standard's weights written out."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.population.ages import AgeBand, parse_band
from scenarios.population.identity import (
    REFERENCE_DATE,
    age_on,
    birth_date,
    check_digit,
    is_valid_id_number,
)

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
SANDBOX = "341126197709218366"  # UnionPay's sandbox cardholder
DIGITS17 = st.text("0123456789", min_size=17, max_size=17)


@given(DIGITS17)
def test_check_digit_is_the_weighted_sum_modulo_eleven(first17: str) -> None:
    total = sum(int(digit) * weight for digit, weight in zip(first17, WEIGHTS, strict=True))
    assert check_digit(first17) == "10X98765432"[total % 11]


def test_sandbox_number_is_valid() -> None:
    assert is_valid_id_number(SANDBOX)
    assert birth_date(SANDBOX) == date(1977, 9, 21)
    assert age_on(SANDBOX, date(2026, 9, 20)) == 48
    assert age_on(SANDBOX, date(2026, 9, 21)) == 49


def test_the_standards_own_example_with_x() -> None:
    assert is_valid_id_number("11010519491231002X")
    assert not is_valid_id_number("11010519491231002x")


def test_born_after_the_day_is_refused() -> None:
    assert is_valid_id_number(SANDBOX, date(1977, 9, 21))
    assert not is_valid_id_number(SANDBOX, date(1977, 9, 20))


@pytest.mark.parametrize(
    "first17",
    [
        "34112619770229836",  # 1977 was no leap year
        "34112619771321836",
        "99112619770921836",  # no such province
    ],
)
def test_a_right_check_digit_does_not_save_a_wrong_field(first17: str) -> None:
    assert not is_valid_id_number(first17 + check_digit(first17))


@given(st.text(max_size=20))
def test_no_text_makes_it_fail(text: str) -> None:
    assert is_valid_id_number(text) in (True, False)


@pytest.mark.parametrize(
    "text", ["", "1234", "3411261977092183X", "３４１１２６１９７７０９２１８３６"]
)
def test_check_digit_takes_seventeen_digits_only(text: str) -> None:
    with pytest.raises(ValueError, match="17 digits"):
        check_digit(text)


@given(st.integers(0, 120), st.integers(0, 120))
def test_a_bands_first_and_last_birth_dates_have_its_ages(one: int, other: int) -> None:
    low, high = sorted((one, other))
    band = parse_band(f"{low}-{high}")
    assert band == AgeBand(low, high)
    ages = [
        age_on(f"110101{date.fromordinal(day):%Y%m%d}0000", REFERENCE_DATE)
        for day in (
            band.first_birth - 1,
            band.first_birth,
            band.first_birth + band.days - 1,
            band.first_birth + band.days,
        )
    ]
    assert ages == [high + 1, high, low, low - 1]
