"""Durations, rates, shares and delays as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from scenarios.distributions import Delay
from scenarios.units import PerSecond, Seconds, parse_duration, parse_rate, parse_share


class Written(BaseModel):
    length: Seconds
    rate: PerSecond


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("30s", 30), ("1.5m", 90), ("1h30m", 5400), ("1d 2h", 93600)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "30", "s", "-5s", "1h 30", "5 minutes", "1e3s"])
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


@pytest.mark.parametrize("text", ["half", "%", "nan", "inf"])
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


@pytest.mark.parametrize("bad", [True, [], "soon", {"p99": "1s"}, {"p50": "2s", "p99": "1s"}])
def test_not_a_delay(bad: object) -> None:
    with pytest.raises(ValueError):
        Delay.model_validate(bad)
