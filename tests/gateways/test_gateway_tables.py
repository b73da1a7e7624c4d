"""The tables beside the models, and the reference that prints them, agree with each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from mocks.bank.codes import FIELD39, ONLINE, TO_ONLINE
from mocks.bank.magic import MAGIC_CARDS
from mocks.bank.model import NO_REPLY
from mocks.payment.codes import CODES, MAGIC_AMOUNTS, REASON_BY_SUFFIX, SCHEDULES
from mocks.sms.codes import CODES as SMS_CODES
from mocks.sms.codes import MAGIC_PHONES, MESSAGE_STATES
from scenarios.data_files import read_table
from scenarios.population.cards import is_luhn, issuer_of
from scenarios.population.phones import is_mobile

REFERENCE = Path(__file__).parents[2] / "docs" / "gateways.md"
TABLES = [
    ("mocks.bank", "online.csv"),
    ("mocks.bank", "field39.csv"),
    ("mocks.bank", "mapping.csv"),
    ("mocks.bank", "magic.csv"),
    ("mocks.sms", "codes.csv"),
    ("mocks.sms", "magic.csv"),
    ("mocks.sms", "schedules.csv"),
    ("mocks.payment", "codes.csv"),
    ("mocks.payment", "magic.csv"),
    ("mocks.payment", "schedules.csv"),
]


@pytest.mark.parametrize(("package", "name"), TABLES)
def test_the_reference_prints_every_row(package: str, name: str) -> None:
    lines = set(REFERENCE.read_text(encoding="utf-8").splitlines())
    rows = read_table(package, name)
    missing = [
        line for row in rows if (line := "| " + " | ".join(row.values()) + " |") not in lines
    ]
    assert rows
    assert missing == []


def test_every_switch_answer_has_an_online_answer_of_its_kind() -> None:
    assert set(TO_ONLINE) == set(FIELD39)
    for field39, online in TO_ONLINE.items():
        assert ONLINE[online].kind == FIELD39[field39].kind, field39


def test_the_tables_keep_apart_what_shares_a_number() -> None:
    # 61: amount limit at the switch, card number at the gateway.
    assert TO_ONLINE["61"] == "33"
    assert TO_ONLINE["14"] == "61"
    assert TO_ONLINE["05"] == "66"


def test_unknown_opens_cover_the_three_unknown_answers() -> None:
    assert {TO_ONLINE[code] for code in NO_REPLY} == {"03", "04", "05"}


def test_magic_cards_are_real_looking_and_name_known_codes() -> None:
    for card_number, magic in MAGIC_CARDS.items():
        assert is_luhn(card_number)
        assert issuer_of(card_number) == "pingan"
        assert {magic.switch_code, magic.final} <= set(FIELD39)
        assert magic.charge == "00" or magic.charge in REASON_BY_SUFFIX
    assert "6216261000000000018" in MAGIC_CARDS


def test_magic_phones_are_mobiles_and_name_known_codes() -> None:
    for phone, magic in MAGIC_PHONES.items():
        assert is_mobile(phone)
        assert magic.code in SMS_CODES
        assert magic.status in {"", *MESSAGE_STATES}
        assert bool(magic.copies) == (magic.code == "OK" and magic.status in {"", "DELIVRD"})


def test_magic_amounts_name_known_reasons() -> None:
    for magic in MAGIC_AMOUNTS.values():
        assert (magic.final == "FAILED") == (magic.reason != "")
        assert not magic.reason or CODES[magic.reason].place == "reason"
        assert magic.state in {"PROCESSING", magic.final}


def test_reasons_have_the_switch_code_of_their_kind() -> None:
    assert {FIELD39[suffix].kind for suffix in REASON_BY_SUFFIX} == {"declined"}


def test_schedules_last_as_long_as_published() -> None:
    assert len(SCHEDULES["alipay"]) == 7
    assert sum(SCHEDULES["alipay"]) == (4 + 10 + 10) * 60 + (1 + 2 + 6 + 15) * 3600
    assert sum(SCHEDULES["wechat"]) == 24 * 3600 + 4 * 60
