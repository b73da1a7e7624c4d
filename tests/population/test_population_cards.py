"""Card numbers and mobile numbers: form, issuer or carrier, masking."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.population import cards, phones

SANDBOX = "6216261000000000018"  # UnionPay's sandbox card
MOBILE = re.compile(r"1(3\d|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8\d|9[0-35-9])\d{8}", re.ASCII)
DIGITS = st.text("0123456789", min_size=1, max_size=18)


def luhn_sum(number: str) -> int:
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(number))]
    return sum(d - 9 if d > 9 else d for d in doubled)


@given(DIGITS)
def test_luhn_digit_completes_the_payload(payload: str) -> None:
    number = payload + cards.luhn_digit(payload)
    assert luhn_sum(number) % 10 == 0
    assert cards.is_luhn(number)


@given(DIGITS, st.integers(1, 9), st.data())
def test_luhn_notices_one_wrong_digit(payload: str, step: int, data: st.DataObject) -> None:
    number = payload + cards.luhn_digit(payload)
    at = data.draw(st.integers(0, len(number) - 1))
    wrong = number[:at] + str((int(number[at]) + step) % 10) + number[at + 1 :]
    assert not cards.is_luhn(wrong)


def test_sandbox_card_is_ping_ans() -> None:
    assert cards.is_luhn(SANDBOX)
    assert cards.issuer_of(SANDBOX) == "pingan"


@pytest.mark.parametrize("text", ["", "0", "62162610000000000１8", "6216 2610", "abc"])
def test_no_luhn_number(text: str) -> None:
    assert not cards.is_luhn(text)


@pytest.mark.parametrize("text", ["", "6216", "4111111111111111"])
def test_no_known_issuer(text: str) -> None:
    assert cards.issuer_of(text) is None


@pytest.mark.parametrize(
    ("number", "issuer"),
    [
        ("6222020000000000000", "icbc"),
        ("6228480000000000000", "abc"),
        ("6217000000000000000", "ccb"),
        ("6216610000000000000", "boc"),
        ("6214830000000000", "cmb"),
        ("6222620000000000000", "bocom"),
        ("6210980000000000000", "psbc"),
    ],
)
def test_issuers_by_bin(number: str, issuer: str) -> None:
    assert cards.issuer_of(number) == issuer


def test_every_range_is_unionpays_and_names_a_known_issuer() -> None:
    for known in cards.card_ranges().values():
        assert known.bin.startswith("62")
        assert len(known.bin) == 6
        assert 16 <= known.length <= 19
        assert known.type in ("debit", "credit")
        assert known.issuer in cards.issuer_weights()
    debit = {known.issuer for known in cards.card_ranges().values() if known.type == "debit"}
    assert debit == set(cards.issuer_weights())


@given(st.text("0123456789", min_size=16, max_size=19))
def test_masked_card_shows_bin_and_last_four(number: str) -> None:
    shown = cards.masked(number)
    assert len(shown) == len(number)
    assert shown[:6] == number[:6]
    assert shown[-4:] == number[-4:]
    assert set(shown[6:-4]) == {"*"}


@given(st.text("0123456789", max_size=12))
def test_a_short_number_shows_nothing(number: str) -> None:
    assert set(cards.masked(number)) <= {"*"}


@given(st.from_regex(r"1[0-9]{10}", fullmatch=True))
def test_is_mobile_follows_the_segments(text: str) -> None:
    assert phones.is_mobile(text) == bool(MOBILE.fullmatch(text))


@pytest.mark.parametrize(
    "text", ["", "1355253550", "135525355060", "1355253550６", "13552535506\n"]
)
def test_no_mobile_number(text: str) -> None:
    assert not phones.is_mobile(text)
    assert set(phones.masked(text)) <= {"*"}


@pytest.mark.parametrize(
    ("phone", "carrier"),
    [
        ("13552535506", "mobile"),
        ("13052535506", "unicom"),
        ("18952535506", "telecom"),
        ("19252535506", "broadnet"),
        ("17052535506", "mvno"),
        ("16252535506", "mvno"),  # elunez/eladmin-web#112
        ("19352535506", "telecom"),  # VincentSit/ChinaMobilePhoneNumberRegex#28
        ("11952535506", None),
    ],
)
def test_carriers_by_prefix(phone: str, carrier: str | None) -> None:
    assert phones.carrier_of(phone) == carrier


def test_masked_phone() -> None:
    assert phones.masked("13552535506") == "135****5506"


def test_every_prefix_makes_a_mobile_number() -> None:
    prefixes = phones.prefixes().items
    assert len(set(prefixes)) == len(prefixes)
    assert all(phones.is_mobile(f"{prefix}00000000") for prefix in prefixes)
