"""What all faults have in common: ramps, flapping, groups, filters, records, the table."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from mocks.fault_timeline import FaultTimeline
from mocks.gateway import Gateway
from mocks.lender.partner_answers import about_another
from mocks.messages import Call
from mocks.payment.model import PaymentGateway
from mocks.world import GatewayAnswer
from scenarios.faults import FAULT_KINDS, parse_fault
from scenarios.faults.table import DOCUMENT, filled
from scenarios.keyed import Keyed
from scenarios.world import PaymentWorld

CHARGE = {"order_no": "c-1", "agreement_no": "1" * 18 + "00", "amount_fen": 1}


def struck(record: dict[str, Any], moment: float, calls: int = 400, where: str = "") -> float:
    """Share of calls about different cards that are hit at `moment`."""
    timeline = FaultTimeline(Keyed(7))
    for part in parse_fault(record).parts():
        if not where or part.target == where:
            timeline.put(part)
    hits = [timeline.strike("open", "", f"card {n}", 0, moment) for n in range(calls)]
    return sum(hit is not None for hit in hits) / calls


def test_ramp_grows_the_share() -> None:
    record = {"kind": "error", "target": "bank", "code": "06", "start": 10, "ramp": 100}
    shares = [struck(record, moment) for moment in (10, 60, 110, 500)]
    assert shares[0] == 0
    assert shares[1] == pytest.approx(0.5, abs=0.08)
    assert shares[2:] == [1, 1]


def test_ramp_grows_the_delay_and_not_the_share() -> None:
    timeline = FaultTimeline(Keyed(7))
    timeline.put(parse_fault({"kind": "latency", "target": "bank", "delay": 8, "ramp": 100}))
    effects = [timeline.strike("open", "", "card", n, moment) for n, moment in enumerate((25, 300))]
    assert [effect.delay for effect in effects if effect] == [2, 8]


def test_flapping_is_on_for_its_duty() -> None:
    flapping = {"start": 10, "duration": 25, "period": 10, "duty": "30%"}
    fault = parse_fault({"kind": "outage", "target": "bank", **flapping})
    assert [fault.in_force(now) for now in (9, 10, 12.9, 13, 20, 23, 32, 35)] == [
        *(False, True, True, False, True, False, True, False)
    ]
    assert list(fault.windows()) == [(10, 13), (20, 23), (30, 33)]


def test_carrier_narrows_to_its_phones() -> None:
    timeline = FaultTimeline(Keyed(7))
    timeline.put(parse_fault({"kind": "sms-loss", "carrier": "unicom"}))
    phones = ("13000000000", "13900000000")
    assert [bool(timeline.strike("send", "", phone, 0, 0)) for phone in phones] == [True, False]


def test_targets_have_their_bad_seconds_together() -> None:
    record = {"kind": "error", "targets": ["bank", "payment"], "code": "x", "share": "40%"}
    seconds = [
        tuple(struck(record, second + 0.5, calls=20, where=where) for where in ("bank", "payment"))
        for second in range(60)
    ]
    assert all(bank == payment and bank in (0, 1) for bank, payment in seconds)
    assert 0.2 < sum(bank for bank, _ in seconds) / 60 < 0.6
    labels = [part.label for part in parse_fault(record).parts()]
    assert labels == ["error-bank-payment-bank", "error-bank-payment-payment"]


def test_error_after_a_charge_leaves_the_money_charged() -> None:
    payment: Gateway[Any] = PaymentGateway(PaymentWorld(latency={}, decline=0), 1)
    fault = {"kind": "error", "target": "payment", "code": "SYSTEM_ERROR", "status": 500}
    answers = {}
    for processed in (False, True):
        record = {**fault, "processed": processed, "ops": ["charge"]}
        payment.put_fault(str(processed), parse_fault(record))
        reply, _ = payment.handle(Call("charge", CHARGE, str(processed)), 0)
        asked, _ = payment.handle(Call("query", {"order_no": "c-1"}, str(processed)), 1)
        answers[processed] = (reply.status, asked.code)
    assert answers == {False: (500, "ORDER_NOT_FOUND"), True: (500, "SUCCESS")}


def test_an_answer_about_another_order_says_nothing() -> None:
    assert about_another(GatewayAnswer(200, {"order_no": "b"}), "a")
    assert not about_another(GatewayAnswer(200, {"order_no": "a"}), "a")
    assert not about_another(GatewayAnswer(200, {}), "a")


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"kind": "clock-skew"}, "either ahead or behind"),
        ({"kind": "clock-skew", "ahead": 5, "share": 0.5}, "strikes the whole target"),
        ({"kind": "degraded-capacity", "target": "bank", "factor": 2}, "less than 1"),
        ({"kind": "network", "between": ["bank", "lender"]}, "bank sends nothing to lender"),
        ({"kind": "network", "between": ["customer", "bank"]}, "customer sends nothing to bank"),
        ({"kind": "network", "between": ["lender", "sms"], "ops": ["open"]}, "does not send"),
        ({"kind": "network", "between": ["lender", "sms"], "target": "bank"}, "follows from"),
        ({"kind": "pause"}, "needs a duration"),
        ({"kind": "kill", "duration": 5}, "write down"),
        ({"kind": "kill", "process": "gateways", "target": "lender"}, "follows from process"),
        ({"kind": "latency", "target": "bank", "delay": 1, "carrier": "unicom"}, "sms only"),
        ({"kind": "sms-loss", "carrier": "vodafone"}, "no mobile network"),
        ({"kind": "sms-loss", "targets": ["sms", "bank"]}, "cannot have this fault"),
        ({"kind": "error", "targets": ["bank", "bank"], "code": "x"}, "each once"),
        ({"kind": "duplicate-callback", "targets": ["sms", "bank"]}, "sends no callbacks"),
        ({"kind": "latency", "target": "bank", "delay": 1, "period": 0}, "greater than 0"),
    ],
)
def test_mistakes_are_named(record: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        parse_fault(record)


def test_the_table_in_the_documentation_is_the_newest() -> None:
    written = DOCUMENT.read_text(encoding="utf-8")
    assert filled(written) == written, "run python -m scenarios.faults.table"


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_every_kind_says_what_the_caller_sees(kind: str) -> None:
    assert FAULT_KINDS[kind].seen
