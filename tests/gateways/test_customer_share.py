"""Faults that hit a share of customers, and every request of theirs."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from mocks.fault_timeline import FaultTimeline
from scenarios.faults import parse_fault
from scenarios.keyed import Keyed

PHONES = [f"1380000{number:04d}" for number in range(300)]
LOSS: dict[str, Any] = {"kind": "sms-loss", "share": 0.2}


def _hits(phone: str, **fields: Any) -> int:
    timeline = FaultTimeline(Keyed(7))
    timeline.put(parse_fault({**LOSS, **fields}))
    struck = [timeline.strike("send", "", phone, nth, 0.0) for nth in range(10)]
    return sum(effect is not None for effect in struck)


def test_the_same_customers_lose_every_message() -> None:
    hits = [_hits(phone, per="customer") for phone in PHONES]
    assert set(hits) == {0, 10}
    assert 40 <= sum(hit == 10 for hit in hits) <= 80


def test_by_default_each_message_is_drawn_for_itself() -> None:
    hits = [_hits(phone) for phone in PHONES]
    assert sum(hit in (0, 10) for hit in hits) < 60


def test_a_customer_is_hit_at_every_operation() -> None:
    timeline = FaultTimeline(Keyed(7))
    timeline.put(parse_fault({**LOSS, "per": "customer"}))
    for phone in PHONES:
        ops = {timeline.strike(op, "", phone, 0, 0.0) is None for op in ("send", "send_backup")}
        assert len(ops) == 1


@pytest.mark.parametrize("also", [{"group": "storm"}, {"targets": ["sms"]}])
def test_groups_strike_seconds_and_not_customers(also: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="per: customer goes with one target and no group"):
        parse_fault({**LOSS, "per": "customer", **also})
