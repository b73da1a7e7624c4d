"""Scenarios and gateway models know the same operations, callbacks and codes."""

from __future__ import annotations

from mocks.bank.codes import FIELD39
from mocks.bank.model import BankGateway
from mocks.messages import Call, Timer
from mocks.payment.model import PaymentGateway
from mocks.sms.model import SmsGateway
from scenarios.faults import parse_fault
from scenarios.gateways import FIELD_39, GATEWAY_OPERATIONS
from scenarios.world import SmsWorld


def test_operations_are_the_models_own() -> None:
    for model in (BankGateway, SmsGateway, PaymentGateway):
        assert set(GATEWAY_OPERATIONS[model.name]) == set(model.operations)


def test_codes_are_the_banks_own() -> None:
    assert set(FIELD_39) == set(FIELD39)


def test_a_slow_carrier_holds_up_the_message_and_not_the_answer() -> None:
    def sent(*faults: dict[str, object]) -> tuple[float, list[float]]:
        gateway = SmsGateway(SmsWorld(), seed=1)
        for fault in faults:
            gateway.put_fault("default", parse_fault(fault))
        payload = {"phone": "13552535506", "text": "code 123456", "out_id": "o-1"}
        reply, timers = gateway.handle(Call("send", payload), 0.0)
        assert reply.code == "OK"
        return reply.delay, [timer.at for timer in timers if isinstance(timer, Timer)]

    reply, arrivals = sent()
    slow = {"kind": "carrier-delay", "delay": "20s"}
    assert arrivals
    assert sent(slow) == (reply, [at + 20 for at in arrivals])
    assert sent(slow, {**slow, "name": "more"}) == (reply, [at + 40 for at in arrivals])
