"""Every kind of fault in virtual time: with it the world behaves so, without it not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from simpy import Environment

from mocks.lender.service import LenderRequest
from mocks.world import CallFailed
from scenarios.faults import FAULT_KINDS
from scenarios.population import Population
from scenarios.schema import Scenario
from sim.clock import start
from sim.run import build_world
from sim.world import SimWorld

PHONE = "19900000012"  # its messages arrive at once
OPEN = {
    "order_no": "o-1",
    "card_number": "6216261000000000018",
    "holder": "全渠道",
    "id_number": "341126197709218366",
    "phone": PHONE,
}
SEND = {"phone": PHONE, "text": "123456", "out_id": "m-1"}
CHARGE = {"order_no": "c-1", "agreement_no": "1" * 18 + "00", "amount_fen": 1}


def world(*faults: dict[str, Any], latency: float = 0.0, places: int | None = None) -> SimWorld:
    scenario = Scenario.model_validate(
        {
            "name": "trial",
            "duration": 60.0,
            "arrivals": {"kind": "constant", "rate": 1.0},
            "faults": faults,
            "world": {
                "bank": {"latency": {"open": latency}, "decline": {}, "concurrency": places},
                "sms": {"latency": {}, "carrier": {"delay": 0.0, "loss": 0.0, "duplicate": 0.0}},
                "payment": {"latency": {}, "decline": 0.0, "notifications": {"delay": 0.0}},
                "lender": {"call_overhead": 0.0, "service": {"*": 0.5}, "commit": 0.0},
            },
        }
    )
    people = Population(scenario.population, scenario.seed)
    return build_world(Environment(), scenario, lambda row: None, people)


def asked(
    of: SimWorld, gateway: str, op: str, payload: dict[str, Any], *, at: float = 0.0
) -> list[Any]:
    """What the lender gets for a call with a deadline of 3 s, and after how long; filled as the
    world runs."""
    seen: list[Any] = []

    async def ask() -> None:
        await of.sleep(at)
        try:
            answer = await of.call(gateway, op, payload, 3.0)
            seen.extend([answer.status, answer.body, round(of.env.now - at, 3)])
        except CallFailed as failed:
            seen.extend([failed.reason, {}, round(of.env.now - at, 3)])

    start(ask())
    return seen


def opening(*faults: dict[str, Any], **machine: Any) -> tuple[Any, Any, float]:
    """Outcome, respCode and seconds of one opening at the bank."""
    of = world(*faults, **machine)
    seen = asked(of, "bank", "open", OPEN)
    of.env.run(50)
    return seen[0], seen[1].get("respCode"), seen[2]


def names_our_order(*faults: dict[str, Any]) -> bool:
    of = world(*faults)
    seen = asked(of, "bank", "open", OPEN)
    of.env.run(50)
    return bool(seen[1]["order_no"] == "o-1")


def second_of_two(*faults: dict[str, Any]) -> int:
    of = world(*faults)
    asked(of, "bank", "open", OPEN)
    seen = asked(of, "bank", "open", {**OPEN, "order_no": "o-2"}, at=0.1)
    of.env.run(50)
    return int(seen[0])


def in_line(*faults: dict[str, Any]) -> list[float]:
    of = world(*faults, latency=1.0, places=2)
    both = [asked(of, "bank", "open", {**OPEN, "order_no": f"o-{n}"}) for n in (1, 2)]
    of.env.run(50)
    return [seen[2] for seen in both]


def inbox(*faults: dict[str, Any]) -> int:
    of = world(*faults)
    asked(of, "sms", "send", SEND)
    of.env.run(10)
    return 0 if of._sms.newest("default", PHONE, 0) is None else 1


def notified(*faults: dict[str, Any]) -> list[float]:
    of = world(*faults)
    times: list[float] = []

    async def callback(op: str, body: dict[str, Any]) -> bool:
        times.append(of.env.now)
        return True

    of.lender.callback = callback  # type: ignore[method-assign]
    asked(of, "payment", "charge", CHARGE)
    of.env.run(30)
    return times


def clock(*faults: dict[str, Any]) -> float:
    of = world(*faults)
    of.env.run(10)
    return of.now() - of.env.now


def status_at(*moments: float) -> Callable[..., list[tuple[str, float]]]:
    """Code and moment of answers to requests at the lender (which takes 0.5 s for each)."""

    def probe(*faults: dict[str, Any]) -> list[tuple[str, float]]:
        of = world(*faults)
        answers: list[tuple[str, float]] = []

        async def ask(at: float) -> None:
            await of.sleep(at)
            request = LenderRequest("status", {}, {"binding": "none"})
            answer = await of.serve(request, "1", 0)
            answers.append((answer.code, round(of.env.now, 3)))

        for moment in moments:
            start(ask(moment))
        of.env.run(30)
        return answers

    return probe


def committed(*faults: dict[str, Any]) -> list[float]:
    """When two transactions are durable, of which the second comes during the first's commit."""
    of = world(*faults)
    times: list[float] = []

    async def store(at: float) -> None:
        await of.sleep(at)
        await of.transact(lambda _: None)
        times.append(round(of.env.now, 1))

    start(store(0.0))
    start(store(0.2))
    of.env.run(30)
    return times


Probe = Callable[..., Any]

KINDS: dict[str, tuple[dict[str, Any], Probe, Any]] = {
    "bandwidth": (
        {"target": "bank", "bytes_per_second": 1},
        opening,
        ("TIMEOUT", None, 3.0),
    ),
    "carrier-delay": ({"delay": 20.0}, inbox, 0),
    "clock-skew": ({"behind": 400.0}, clock, -400.0),
    "degraded-capacity": ({"target": "bank", "factor": 0.5}, in_line, [1.0, 2.0]),
    "duplicate-callback": ({"target": "payment", "copies": 2}, notified, [0.0, 0.0, 0.0]),
    "error": ({"target": "bank", "code": "06"}, opening, (200, "06", 0.0)),
    "kill": (
        {"start": 1.0, "down": 2.0, "start_up": 1.0},
        status_at(0.8, 2.0, 5.0),
        [("RESET", 1.0), ("UNREACHABLE", 2.0), ("NOT_FOUND", 5.5)],
    ),
    "latency": ({"target": "bank", "delay": 2.0}, opening, (200, "00", 2.0)),
    "lost-callback": ({"target": "payment"}, notified, []),
    "malformed-body": ({"target": "bank"}, opening, (200, None, 0.0)),
    "network": ({"between": ("lender", "bank")}, opening, ("UNREACHABLE", None, 0.0)),
    "outage": ({"target": "bank", "mode": "hang"}, opening, ("TIMEOUT", None, 3.0)),
    "partial-body": ({"target": "bank"}, opening, ("RESET", None, 0.0)),
    "pause": (
        {"start": 1.0, "duration": 3.0},
        status_at(0.8, 2.0),
        [("NOT_FOUND", 4.0), ("NOT_FOUND", 4.5)],
    ),
    "recorded-series": ({"target": "bank", "error_share": [1.0]}, opening, (503, "", 0.0)),
    "reordered-callback": ({"target": "payment", "delay": 5.0}, notified, [5.0]),
    "restart": (
        {"start": 1.0, "start_up": 2.0},
        status_at(0.8, 2.0, 3.0),
        [("NOT_FOUND", 1.3), ("UNREACHABLE", 2.0), ("NOT_FOUND", 3.5)],
    ),
    "slow-close": ({"target": "bank", "delay": 1.5}, opening, (200, "00", 1.5)),
    "slow-disk": ({"delay": 1.0}, committed, [1.0, 2.0]),
    "slow-start": (
        {"target": "bank", "factor": 3.0, "over": 100.0},
        lambda *faults: opening(*faults, latency=0.5),
        (200, "00", 1.5),
    ),
    "sms-loss": ({}, inbox, 0),
    "throttle": ({"target": "bank", "rate": 1.0}, second_of_two, 429),
    "wrong-answer": ({"target": "bank"}, names_our_order, False),
}


def test_every_kind_is_tried() -> None:
    assert set(KINDS) == set(FAULT_KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_fault_acts(kind: str) -> None:
    record, probe, expected = KINDS[kind]
    assert probe({"kind": kind, **record}) == expected
    assert probe() != expected


@pytest.mark.parametrize("kind", KINDS)
def test_fault_that_has_not_begun_does_nothing(kind: str) -> None:
    record, probe, _ = KINDS[kind]
    assert probe({"kind": kind, **record, "start": 40.0}) == probe()
