"""Fault records: where they strike, and what they do to a request."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from scenarios.faults import FAULT_KINDS, Context, parse_fault
from scenarios.gateways import CALLBACKS, GATEWAY_OPERATIONS

SAMPLES: dict[str, dict[str, Any]] = {
    "bandwidth": {"target": "bank", "bytes_per_second": 100},
    "carrier-delay": {"delay": "20s"},
    "clock-skew": {"ahead": "5m"},
    "degraded-capacity": {"target": "bank", "factor": 0.5},
    "duplicate-callback": {"target": "sms"},
    "kill": {"down": "3s", "name": "kill-lender"},
    "malformed-body": {"target": "bank"},
    "network": {"between": ("lender", "bank"), "name": "network-bank"},
    "partial-body": {"target": "bank"},
    "pause": {"duration": "3s", "name": "pause-lender"},
    "reordered-callback": {"target": "payment", "delay": "5s"},
    "restart": {"name": "restart-lender"},
    "slow-close": {"target": "bank", "delay": "1s"},
    "slow-disk": {"delay": "300ms"},
    "slow-start": {"target": "bank", "factor": 4, "over": "10s"},
    "sms-loss": {},
    "wrong-answer": {"target": "bank"},
    "error": {"target": "bank", "code": "03"},
    "latency": {"target": "bank", "delay": "500ms"},
    "lost-callback": {"target": "payment"},
    "outage": {"target": "bank", "mode": "hang", "processed": True},
    "recorded-series": {"target": "bank", "error_share": ["2%", None]},
    "throttle": {"target": "bank", "rate": "1/s"},
}


def context(now: float = 0.0, memory: dict[str, Any] | None = None) -> Context:
    return Context(now, 0.5, {} if memory is None else memory)


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_every_kind_has_a_sample_that_survives_its_record(kind: str) -> None:
    fault = parse_fault({"kind": kind, **SAMPLES[kind]})
    assert parse_fault(fault.model_dump(mode="json")) == fault
    assert fault.label == f"{kind}-{fault.target}"


def test_effects() -> None:
    def effect(kind: str, **fields: Any) -> Any:
        return parse_fault({"kind": kind, **SAMPLES[kind], **fields}).effect(context())

    assert effect("carrier-delay").carrier_delay == 20
    assert effect("carrier-delay").delay == 0
    assert (effect("error").status, effect("error").code) == (200, "03")
    assert effect("latency").delay == 0.5
    assert effect("lost-callback").lose_callback
    assert (effect("outage").transport, effect("outage").processed) == ("hang", True)
    refused = effect("outage", mode="503", processed=False)
    assert (refused.status, refused.transport) == (503, "ok")


def test_throttle_refuses_beyond_its_rate() -> None:
    fault = parse_fault({"kind": "throttle", **SAMPLES["throttle"]})
    memory: dict[str, Any] = {}
    hits = [fault.effect(context(now, memory)) for now in (0.0, 0.1, 1.2)]
    assert [hit.status if hit else None for hit in hits] == [None, 429, None]


def test_window_is_half_open() -> None:
    fault = parse_fault({"kind": "latency", **SAMPLES["latency"], "start": "10s", "duration": "5s"})
    assert [fault.in_force(now) for now in (9.9, 10, 14.9, 15)] == [False, True, True, False]


def test_ops_and_issuer_narrow_a_fault() -> None:
    narrow = {**SAMPLES["latency"], "ops": ["open"], "issuer": "icbc"}
    fault = parse_fault({"kind": "latency", **narrow})
    assert fault.matches("open", "icbc")
    assert not fault.matches("query", "icbc")
    assert not fault.matches("open", "ccb")


@pytest.mark.parametrize(("target", "ops"), GATEWAY_OPERATIONS.items())
def test_faults_name_operations_of_their_target(target: str, ops: tuple[str, ...]) -> None:
    fault = {"kind": "latency", "target": target, "delay": "1s"}
    assert parse_fault({**fault, "ops": ops}).matches(ops[0], "")
    with pytest.raises(ValidationError, match=f"{target} has no operation 'dance'"):
        parse_fault({**fault, "ops": ["dance"]})


@pytest.mark.parametrize("target", CALLBACKS)
def test_lost_callbacks_need_a_sender(target: str) -> None:
    record = {"kind": "lost-callback", "target": target, "ops": CALLBACKS[target]}
    if CALLBACKS[target]:
        assert parse_fault(record).matches(CALLBACKS[target][0], "")
    else:
        with pytest.raises(ValidationError, match="sends no callbacks"):
            parse_fault(record)
