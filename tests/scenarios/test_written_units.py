"""Durations, rates, shares and delays as people write them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from scenarios.data_size import parse_size
from scenarios.distributions import Delay
from scenarios.units import (
    PerSecond,
    Seconds,
    exact_share,
    parse_duration,
    parse_number,
    parse_rate,
    parse_share,
)


class Written(BaseModel):
    length: Seconds
    rate: PerSecond


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("30s", 30), ("1.5m", 90), ("1h30m", 5400), ("1d 2h", 93600)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("parse", "text", "number"),
    [
        (parse_share, "99.9%", 0.999),
        (parse_share, "0.1%", 0.001),
        (parse_duration, "700ms", 0.7),
        (parse_duration, "1m1100ms", 61.1),
        (parse_duration, "0.1s0.1s0.1s", 0.3),
        (parse_rate, "492/m", 8.2),
        (parse_rate, "3/d", 3 / 86400),
    ],
)
def test_what_is_written_is_rounded_once(parse, text: str, number: float) -> None:
    assert parse(text) == number


@given(st.integers(0, 10_000))
def test_a_share_is_the_same_in_either_form(digits: int) -> None:
    percent = f"{digits // 100}.{digits % 100:02d}%"
    assert exact_share(percent) == exact_share(f"{digits}e-4") == Fraction(digits, 10_000)
    assert parse_share(percent) == digits / 10_000


@pytest.mark.parametrize(
    ("parse", "text", "bound"),
    [
        (parse_duration, "99999999d", "3650d"),
        (parse_duration, "3651d", "3650d"),
        (parse_rate, "999999999999/s", "1000000/s"),
        (parse_size, "9999999TB", "1000TB"),
        (parse_number, "1e300", "10^15"),
    ],
)
def test_there_is_a_bound_and_the_message_has_it(parse, text: str, bound: str) -> None:
    with pytest.raises(ValueError, match="is above") as refused:
        parse(text)
    assert f"write {bound} or less" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("20:00", "write 20h for hours and minutes, or 20m for"),
        ("1:30", "write 1h30m for hours and minutes, or 1m30s for"),
        ("01:30:15", "write 1h30m15s"),
        ("0:00", "write 0"),
    ],
)
def test_times_of_a_clock_have_their_mend(text: str, mend: str) -> None:
    with pytest.raises(ValueError, match=f"'{text}' is not a duration; {mend}"):
        parse_duration(text)


@pytest.mark.parametrize(
    "text", ["", "30", "s", "-5s", "1h 30", "5 minutes", "1e3s", "٣s", "1" * 30_000]
)
def test_not_durations(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration; write"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "rate"), [("50/s", 50), ("600/m", 10), ("600 / min", 10), ("3600/h", 1)]
)
def test_rates(text: str, rate: float) -> None:
    assert parse_rate(text) == pytest.approx(rate)


@pytest.mark.parametrize(("text", "share"), [("2%", 0.02), ("0.02", 0.02), ("12.5 %", 0.125)])
def test_shares(text: str, share: float) -> None:
    assert parse_share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["half", "%", "nan", "inf", "1_0%", "1_0", "٥%", "1e9999"])
def test_not_shares(text: str) -> None:
    with pytest.raises(ValueError, match="is not a share; write 2%"):
        parse_share(text)


@given(st.floats(0, 3e8, allow_subnormal=False), st.floats(0, 1e6, allow_subnormal=False))
def test_what_is_dumped_is_read_back_exactly(length: float, rate: float) -> None:
    written = Written(length=length, rate=rate)
    assert Written.model_validate_json(written.model_dump_json()) == written


def test_a_delay_is_a_constant_or_two_percentiles() -> None:
    assert Delay.model_validate("120ms") == Delay(p50=0.12, p99=0.12)
    assert Delay.model_validate({"p50": "1s"}) == Delay(p50=1, p99=1)
    log_normal = Delay.model_validate({"p50": "1s", "p99": "4s"})
    assert log_normal.at(0.5) == pytest.approx(1)
    assert log_normal.at(0.99) == pytest.approx(4)


@pytest.mark.parametrize(
    "bad",
    [
        True,
        [],
        "soon",
        {"p50": 0, "p99": 1},
        {"p50": 1e-6, "p99": 9.0},
        {"p50": float("nan")},
        {"p99": "1s"},
        {"p50": "2s", "p99": "1s"},
    ],
)
def test_not_a_delay(bad: object) -> None:
    with pytest.raises(ValueError):
        Delay.model_validate(bad)
