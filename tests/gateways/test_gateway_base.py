"""What all gateways share: faults, limits, namespaces, keyed draws, bounded memory."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from mocks.bank.model import BankGateway
from mocks.capacity import ServerPool
from mocks.gateway import MAX_NAMESPACES
from mocks.messages import Call, CallRecord, Notification
from mocks.payment.model import PaymentGateway
from mocks.recent import Recent
from mocks.sms.model import SmsGateway
from scenarios.distributions import Delay, constant
from scenarios.faults import parse_fault
from scenarios.population.cards import luhn_digit
from scenarios.world import BankWorld, PaymentWorld, SmsWorld

PERSON = {"holder": "全渠道", "id_number": "341126197709218366", "phone": "13552535506"}
STEADY = BankWorld(latency={"open": constant(0.1), "query": constant(0.1)}, decline={})


def card(serial: int, bin_: str = "622202") -> str:
    payload = f"{bin_}{serial:012d}"
    return payload + luhn_digit(payload)


def open_card(bank: Any, n: int, bin_: str = "622202", **more: Any) -> Any:
    payload = {"order_no": f"o{n}", "card_number": card(n, bin_), **PERSON}
    return bank.call("open", **payload, **more)


def bank_with(runner: Any, *faults: dict[str, Any], world: BankWorld = STEADY) -> Any:
    bank = runner(BankGateway(world, 1))
    for record in faults:
        bank.gateway.put_fault("default", parse_fault({"target": "bank", **record}))
    return bank


LATENCY = {"kind": "latency", "delay": "5s"}
ERROR = {"kind": "error", "code": "91"}
OUTAGE = {"kind": "outage", "mode": "503"}
THROTTLE = {"kind": "throttle", "rate": "1/s", "code": "37"}


def harmed(reply: Any) -> bool:
    return bool(reply.delay != pytest.approx(0.1) or reply.body.get("respCode") != "00")


class TestFaults:
    @pytest.mark.parametrize("fault", [LATENCY, ERROR, OUTAGE, {**OUTAGE, "mode": "reset"}])
    def test_a_share_of_requests_is_struck(self, runner: Any, fault: dict[str, Any]) -> None:
        bank = bank_with(runner, {**fault, "share": "20%"})
        struck = sum(harmed(open_card(bank, n)) for n in range(2000))
        assert struck / 2000 == pytest.approx(0.2, abs=0.03)

    @pytest.mark.parametrize("fault", [LATENCY, ERROR, OUTAGE, THROTTLE])
    def test_only_in_the_window(self, runner: Any, fault: dict[str, Any]) -> None:
        bank = bank_with(runner, {**fault, "start": "10s", "duration": "5s"})
        struck = []
        for n in range(200):
            bank.run_until(n / 10)
            if harmed(open_card(bank, n)):
                struck.append(bank.now)
        assert struck
        assert 10 <= min(struck) < 11
        assert 14 < max(struck) < 15

    @pytest.mark.parametrize("fault", [LATENCY, ERROR, OUTAGE])
    def test_the_first_n_then_none(self, runner: Any, fault: dict[str, Any]) -> None:
        bank = bank_with(runner, {**fault, "first": 3})
        assert [harmed(open_card(bank, n)) for n in range(6)] == [True] * 3 + [False] * 3

    @pytest.mark.parametrize("fault", [LATENCY, ERROR, OUTAGE])
    def test_one_issuer_alone(self, runner: Any, fault: dict[str, Any]) -> None:
        bank = bank_with(runner, {**fault, "issuer": "abc"})
        assert harmed(open_card(bank, 1, "622848"))
        assert not harmed(open_card(bank, 2, "622202"))

    @pytest.mark.parametrize("fault", [LATENCY, ERROR, OUTAGE])
    def test_one_operation_alone(self, runner: Any, fault: dict[str, Any]) -> None:
        bank = bank_with(runner, {**fault, "ops": ["query"]})
        assert not harmed(open_card(bank, 1))
        assert harmed(bank.call("query", order_no="o1"))

    def test_latency_is_late_but_does_the_work(self, runner: Any) -> None:
        bank = bank_with(runner, LATENCY)
        reply = open_card(bank, 1)
        assert (reply.delay, reply.body["respCode"]) == (pytest.approx(5.1), "00")

    def test_an_error_does_not_do_the_work(self, runner: Any) -> None:
        bank = bank_with(runner, {**ERROR, "ops": ["open"]})
        body = open_card(bank, 1).body
        assert (body["respCode"], body["switchCode"]) == ("04", "91")
        assert bank.call("query", order_no="o1").body["respCode"] == "34"

    def test_an_online_code_is_taken_as_it_is(self, runner: Any) -> None:
        body = open_card(bank_with(runner, {**ERROR, "code": "61"}), 1).body
        assert (body["respCode"], body["switchCode"]) == ("61", "")

    @pytest.mark.parametrize(
        ("mode", "delay"), [("refuse", 0.0), ("reset", 0.0), ("hang", math.inf)]
    )
    def test_broken_connections(self, runner: Any, mode: str, delay: float) -> None:
        bank = bank_with(runner, {"kind": "outage", "mode": mode, "start": "0s", "duration": "5s"})
        reply = open_card(bank, 1)
        assert (reply.transport, reply.delay) == (mode, delay)
        assert (reply.status, reply.body, reply.code) == (0, {}, mode.upper())
        bank.run_until(5)
        assert bank.call("query", order_no="o1").body["respCode"] == "34"

    @pytest.mark.parametrize("mode", ["reset", "hang"])
    def test_processed_loses_the_answer_alone(self, runner: Any, mode: str) -> None:
        fault = {"kind": "outage", "mode": mode, "processed": True, "ops": ["open"]}
        bank = bank_with(runner, fault)
        reply = open_card(bank, 1)
        assert (reply.transport, reply.body) == (mode, {})
        assert bank.call("query", order_no="o1").body["origRespCode"] == "00"

    def test_throttle_keeps_its_rate(self, runner: Any) -> None:
        bank = bank_with(runner, {"kind": "throttle", "rate": "10/s", "burst": 5})
        statuses = []
        for n in range(1000):
            bank.run_until(n / 100)
            statuses.append(open_card(bank, n).status)
        assert statuses.count(200) == pytest.approx(105, abs=2)
        assert set(statuses) == {200, 429}
        refused = open_card(bank, 2000)
        assert refused.body["respCode"] == "37"

    def test_faults_add_up(self, runner: Any) -> None:
        bank = bank_with(runner, {**LATENCY, "name": "a"}, {**LATENCY, "name": "b"}, ERROR)
        reply = open_card(bank, 1)
        assert reply.delay == pytest.approx(10.1)
        assert reply.body["switchCode"] == "91"

    def test_cleared_faults_are_gone(self, runner: Any) -> None:
        bank = bank_with(runner, {**ERROR, "name": "a"}, LATENCY)
        faults = bank.gateway.space("default").faults
        assert faults.clear("a") == 1
        assert open_card(bank, 1).delay == pytest.approx(5.1)
        assert faults.clear() == 1
        assert not harmed(open_card(bank, 2))

    def test_lost_callbacks(self, runner: Any) -> None:
        payment = PaymentGateway(PaymentWorld(), 1)
        fault = {"kind": "lost-callback", "target": "payment", "share": 0.3}
        payment.put_fault("default", parse_fault(fault))
        lost = [
            payment.callback_effect(
                Notification("payment_notify", f"k{n}", {}), f"k{n}", 0
            ).lose_callback
            for n in range(2000)
        ]
        assert sum(lost) / 2000 == pytest.approx(0.3, abs=0.03)
        reply, _ = payment.handle(Call("query", {"order_no": "x"}), 0)
        assert reply.body["code"] == "ORDER_NOT_FOUND"

    def test_carrier_delay_holds_up_the_message_alone(self, runner: Any) -> None:
        sms = runner(SmsGateway(SmsWorld(latency={}), 1))
        phone = "19900000012"  # delivered at once
        sms.gateway.put_fault("default", parse_fault({"kind": "carrier-delay", "delay": "20s"}))
        assert sms.call("send", phone=phone, text="t", out_id="m").delay == 0
        sms.run_until(60)
        assert sms.arrived == [(20.0, phone)]


class TestCapacity:
    def test_one_server_makes_requests_wait_in_line(self, runner: Any) -> None:
        world = BankWorld(latency={"open": constant(1)}, decline={}, concurrency=1)
        bank = bank_with(runner, world=world)
        assert [open_card(bank, n).delay for n in range(3)] == [1, 2, 3]
        bank.run_until(2.5)
        assert open_card(bank, 3).delay == 1.5

    def test_refusals_keep_no_server_busy(self, runner: Any) -> None:
        world = BankWorld(latency={"open": constant(1)}, decline={}, concurrency=1)
        bank = bank_with(runner, {**ERROR, "first": 5}, world=world)
        assert [open_card(bank, n).delay for n in range(6)] == [1] * 6

    def test_waits_follow_the_servers(self) -> None:
        pool = ServerPool(2)
        assert [pool.admit(0, 10), pool.admit(0, 4), pool.admit(1, 1), pool.admit(6, 1)] == [
            0,
            0,
            3,
            0,
        ]

    def test_broken_connections_take_no_token(self, runner: Any) -> None:
        world = BankWorld(latency={}, decline={}, rate_limit=1.0)
        bank = bank_with(runner, {"kind": "outage", "mode": "reset", "first": 5}, world=world)
        for n in range(5):
            open_card(bank, n)
        assert open_card(bank, 5).status == 200


class TestNamespaces:
    def test_they_do_not_see_each_other(self, runner: Any) -> None:
        bank = bank_with(runner, ERROR)
        assert open_card(bank, 1).body["switchCode"] == "91"
        assert open_card(bank, 1, namespace="b").body["respCode"] == "00"
        assert bank.call("query", order_no="o1", namespace="c").body["respCode"] == "34"

    def test_one_is_reset_alone(self, runner: Any) -> None:
        bank = runner(BankGateway(STEADY, 1))
        for namespace in ("a", "b"):
            open_card(bank, 1, namespace=namespace)
        bank.gateway.reset("a")
        assert bank.call("query", order_no="o1", namespace="a").body["respCode"] == "34"
        assert bank.call("query", order_no="o1", namespace="b").body["respCode"] == "00"

    def test_what_was_pending_in_a_reset_one_does_nothing(self, runner: Any) -> None:
        sms = runner(SmsGateway(SmsWorld(latency={}), 1))
        sms.call("send", "a", phone="13800000001", text="t", out_id="m")
        payment = runner(PaymentGateway(PaymentWorld(latency={}), 1), lambda notice: False)
        payment.call("charge", "a", order_no="c", agreement_no="x", amount_fen=1)
        payment.run_until(10)
        sent = len(payment.notified)
        for side in (sms, payment):
            side.gateway.reset("a")
            side.run_until(10**6)
            assert side.gateway.known("a") is None
        assert sms.arrived == []
        assert len(payment.notified) == sent == 1

    def test_the_one_idle_longest_makes_room(self) -> None:
        bank = BankGateway(STEADY, 1)
        forgotten: list[str] = []
        bank.on_forgotten = forgotten.append
        bank.handle(Call("query", {}), 0)
        for n in range(MAX_NAMESPACES - 1):
            bank.handle(Call("query", {}, f"n{n}"), n + 1)
        assert forgotten == []
        bank.handle(Call("query", {}, "n0"), MAX_NAMESPACES + 1)
        bank.put_fault("n1", parse_fault({**LATENCY, "target": "bank"}), MAX_NAMESPACES + 1)
        for n in range(3):
            bank.handle(Call("query", {}, f"new{n}"), MAX_NAMESPACES + 2)
        # Neither the default one, nor the one just used, nor the one somebody set a fault in.
        assert forgotten == ["n2", "n3", "n4"]
        assert len(bank.spaces) == MAX_NAMESPACES
        assert {"default", "n0", "n1"} <= set(bank.spaces)


def test_draws_do_not_depend_on_the_order_of_customers(runner: Any) -> None:
    world = BankWorld(latency={"open": Delay(p50=0.1, p99=2)}, decline={"57": 0.2}, unknown=0.2)
    fault = {**LATENCY, "delay": {"p50": "1s", "p99": "9s"}, "share": 0.5}
    one, other = bank_with(runner, fault, world=world), bank_with(runner, fault, world=world)
    numbers = list(range(300))
    told = {n: open_card(one, n) for n in numbers}
    random.Random(1).shuffle(numbers)
    other.run_until(100)
    for n in numbers:
        again = open_card(other, n)
        assert (again.delay, again.body) == (told[n].delay, told[n].body)


def test_each_call_is_recorded_without_names(runner: Any) -> None:
    seen: list[CallRecord] = []
    bank = runner(BankGateway(STEADY, 1, seen.append))
    open_card(bank, 1)
    [record] = seen
    assert (record.gateway, record.op, record.issuer, record.code) == ("bank", "open", "icbc", "00")
    assert record.delay == pytest.approx(0.1)
    assert card(1) not in repr(record)


@pytest.mark.parametrize("payload", [{}, {"order_no": None}, {"phone": {"a": 1}, "order_no": []}])
def test_malformed_payloads_are_refused_not_raised(payload: dict[str, Any]) -> None:
    gateways = (
        BankGateway(STEADY, 1),
        SmsGateway(SmsWorld(), 1),
        PaymentGateway(PaymentWorld(), 1),
    )
    for gateway in gateways:
        for op in gateway.operations:
            assert gateway.handle(Call(op, payload), 0)[0].status == 400


class TestRecent:
    def test_it_keeps_what_is_used(self) -> None:
        recent: Recent[int, int] = Recent(keep=100, few=10)
        for now in range(10_000):
            recent.put(now, now, now)
            assert recent.get(max(0, now - 100)) == max(0, now - 100)
            if now % 50 == 0:
                assert now < 50 or recent.get(-1) == 7
                recent.put(-1, 7, now)
        # 200 were used in the last 100 s; a third more may be held.
        assert 200 <= len(recent) <= 270

    def test_it_keeps_a_few_for_ever(self) -> None:
        recent: Recent[str, int] = Recent(keep=100, few=10)
        recent.put("a", 1, 0)
        recent.put("b", 2, 10**9)
        assert recent.get("a") == 1

    def test_it_keeps_the_last_few_however_old(self) -> None:
        recent: Recent[int, int] = Recent(keep=100, few=10)
        for n in range(1000):
            recent.put(n, n + 1, n * 1e6)
        assert [recent.get(n) for n in range(990, 1000)] == list(range(991, 1001))

    def test_an_hour_of_many_customers_is_bounded(self, runner: Any) -> None:
        bank = runner(BankGateway(BankWorld(latency={}, decline={}), 1))
        orders = bank.gateway.space("default").state.orders
        small: Recent[str, Any] = Recent(keep=60, few=100)
        bank.gateway.space("default").state.orders = small
        for n in range(3000):
            bank.run_until(n)
            open_card(bank, n)
        assert len(small) <= 4 * 34
        assert len(orders) == 0
        assert bank.call("query", order_no="o2999").body["origRespCode"] == "00"
        assert bank.call("query", order_no="o1").body["respCode"] == "34"
