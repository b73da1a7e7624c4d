"""Nothing personal survives masking, wherever it stands."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mocks.masking import mask_payload, mask_text
from scenarios.population.cards import luhn_digit
from scenarios.population.identity import check_digit

digits = st.text("0123456789", min_size=4, max_size=8)


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    length = draw(st.integers(13, 16))
    payload = "62" + draw(st.text("0123456789", min_size=length, max_size=length))
    return payload + luhn_digit(payload)


@st.composite
def id_numbers(draw: st.DrawFn) -> str:
    born = draw(st.dates()).strftime("%Y%m%d").zfill(8)
    first17 = f"{draw(st.sampled_from(['110101', '341126', '510104']))}{born}" + draw(
        st.text("0123456789", min_size=3, max_size=3)
    )
    return first17 + check_digit(first17)


phone_numbers = st.builds(
    "{}{:08d}".format, st.sampled_from(["135", "186", "199", "170"]), st.integers(0, 10**8 - 1)
)
secrets = st.one_of(card_numbers(), id_numbers(), phone_numbers)
around = st.text(st.characters(exclude_categories=["Nd", "Cs"]), max_size=20)
payloads = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), around),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(around, inner, max_size=3)
    ),
    max_leaves=8,
)


@given(secrets, around, around, payloads)
@settings(max_examples=300)
def test_no_number_survives_in_text_keys_or_depth(
    secret: str, before: str, after: str, other: object
) -> None:
    text = f"{before} {secret} {after}"
    payload = {"note": text, "deep": [{"deeper": (text, other)}], text: other}
    masked = json.dumps(mask_payload(payload), ensure_ascii=False, default=str)
    assert secret not in masked


@given(secrets, secrets)
def test_neighbours_are_masked_too(one: str, other: str) -> None:
    masked = mask_text(f"{one} {other},{one}-{other}")
    assert one not in masked
    assert other not in masked


@given(digits)
def test_codes_vanish_from_messages_only(code: str) -> None:
    assert code not in mask_text(f"您的验证码是{code}，5分钟内有效")
    assert code not in str(mask_payload({"otp": code}))
    assert mask_text(f"port {code} is busy") == f"port {code} is busy"


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("card_number", "6216261000000000018", "621626*********0018"),
        ("card_number", "12345", "*****"),
        ("id_number", "341126197709218366", "34****************"),
        ("phone", "13552535506", "135****5506"),
        ("phone", 13552535506, "135****5506"),
        ("phone", "not a phone", "***********"),
        ("holder", "全渠道", "全**"),
        ("name", "bank", "bank"),
        ("text", "code 482913", "code ******"),
        ("note", "6216 2610 0000 0000 018", "621626*********0018"),
        ("note", "+8613552535506", "+86135****5506"),
        ("agreement_no", "12345678901234567800", "12345678901234567800"),
        ("order_no", "chg_17", "chg_17"),
        ("amount_fen", 1, 1),
    ],
)
def test_what_is_shown(field: str, value: object, shown: object) -> None:
    assert mask_payload({field: value}) == {field: shown}


def test_it_is_bounded() -> None:
    endless: dict[str, object] = {}
    endless["again"] = endless
    masked = mask_payload({"endless": endless, "long": "x" * 5000})
    assert len(json.dumps(masked)) < 2000
