"""Payment: idempotent charges and refunds, notifications, money that adds up, magic amounts."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mocks.messages import Call, Timer
from mocks.payment.codes import CODES, MAGIC_AMOUNTS, REASON_BY_SUFFIX, SCHEDULES
from mocks.payment.model import PaymentGateway
from mocks.payment.settlement import KEPT_HOURS, Ledger, day_bounds, settlement_csv
from scenarios.distributions import constant
from scenarios.world import Notifications, PaymentWorld

NORMAL = "12345678901234567800"


def world(**changed: Any) -> PaymentWorld:
    notices = Notifications(delay=constant(1), **changed.pop("notifications", {}))
    return PaymentWorld(**{"latency": {}, "decline": 0.0, "notifications": notices, **changed})


def charge(payment: Any, order_no: str = "c1", amount_fen: int = 1, agreement: str = NORMAL) -> Any:
    return payment.call("charge", order_no=order_no, agreement_no=agreement, amount_fen=amount_fen)


def refund(payment: Any, order_no: str = "r1", original: str = "c1", amount_fen: int = 1) -> Any:
    return payment.call(
        "refund", order_no=order_no, original_order_no=original, amount_fen=amount_fen
    )


class TestOrders:
    def test_a_charge_is_paid_once(self, runner: Any) -> None:
        payment = runner(PaymentGateway(world(), 1))
        first = charge(payment)
        assert first.body["trade_state"] == "SUCCESS"
        assert first.body["code"] == "OK"
        assert charge(payment).body == first.body
        assert payment.gateway.balance("default") == 1
        asked = payment.call("query", order_no="c1").body
        assert asked["trade_no"] == first.body["trade_no"]

    @pytest.mark.parametrize(
        "changed", [{"amount_fen": 2}, {"agreement": "x"}], ids=["amount", "agreement"]
    )
    def test_other_parameters_conflict(self, runner: Any, changed: dict[str, Any]) -> None:
        payment = runner(PaymentGateway(world(), 1))
        charge(payment)
        conflict = charge(payment, **changed)
        assert (conflict.status, conflict.body["code"]) == (409, "ORDER_CONFLICT")
        assert refund(payment, order_no="c1").body["code"] == "ORDER_CONFLICT"
        assert payment.gateway.balance("default") == 1

    def test_a_failed_charge_stays_failed(self, runner: Any) -> None:
        payment = runner(PaymentGateway(world(decline=1.0), 1))
        for _ in range(2):
            body = charge(payment).body
            assert (body["trade_state"], body["reason"]) == ("FAILED", "INSUFFICIENT_FUNDS")
        assert refund(payment).body["code"] == "ORIGINAL_NOT_PAID"
        assert payment.gateway.balance("default") == 0

    def test_an_agreement_is_declined_for_good(self, runner: Any) -> None:
        payment = runner(PaymentGateway(world(decline=0.3), 1))
        failed = 0
        for n in range(1000):
            agreement = f"{n:018d}00"
            states = {
                charge(payment, f"{n}-{i}", agreement=agreement).body["trade_state"]
                for i in range(2)
            }
            assert len(states) == 1
            failed += states == {"FAILED"}
        assert failed / 1000 == pytest.approx(0.3, abs=0.05)

    @pytest.mark.parametrize("suffix", REASON_BY_SUFFIX)
    def test_agreements_that_fail_every_charge(self, runner: Any, suffix: str) -> None:
        payment = runner(PaymentGateway(world(), 1))
        body = charge(payment, agreement=NORMAL[:-2] + suffix).body
        assert (body["trade_state"], body["reason"]) == ("FAILED", REASON_BY_SUFFIX[suffix])

    def test_refunds_stop_at_the_charge(self, runner: Any) -> None:
        payment = runner(PaymentGateway(world(), 1))
        charge(payment, amount_fen=10)
        assert refund(payment, "r1", amount_fen=6).body["trade_state"] == "SUCCESS"
        assert refund(payment, "r1", amount_fen=6).body["trade_state"] == "SUCCESS"
        assert refund(payment, "r2", amount_fen=5).body["code"] == "REFUND_EXCEEDS"
        assert refund(payment, "r2", amount_fen=4).body["trade_state"] == "SUCCESS"
        assert refund(payment, "r3", "never").body["code"] == "ORIGINAL_NOT_FOUND"
        assert refund(payment, "r3", "r1").body["code"] == "ORIGINAL_NOT_FOUND"
        assert payment.gateway.balance("default") == 0

    def test_a_query_for_nothing(self, runner: Any) -> None:
        asked = runner(PaymentGateway(world(), 1)).call("query", order_no="never")
        assert (asked.status, asked.body["code"]) == (200, "ORDER_NOT_FOUND")

    @pytest.mark.parametrize("amount", [0, -1, 1.5, "1", True, None, 10**13])
    def test_bad_amounts_are_400(self, runner: Any, amount: Any) -> None:
        payment = runner(PaymentGateway(world(), 1))
        assert charge(payment, amount_fen=amount).status == 400
        charge(payment)
        assert refund(payment, amount_fen=amount).status == 400
        assert payment.gateway.balance("default") == 1

    def test_state_changes_before_the_delay(self, runner: Any) -> None:
        payment = runner(PaymentGateway(world(latency={"charge": constant(30)}), 1))
        assert charge(payment).delay == 30
        assert payment.call("query", order_no="c1").body["trade_state"] == "SUCCESS"


class TestProcessing:
    def test_query_and_notification_tell_the_end(self, runner: Any) -> None:
        payment = runner(PaymentGateway(world(processing=1.0), 1))
        assert charge(payment).body["trade_state"] == "PROCESSING"
        assert payment.gateway.balance("default") == 0
        assert refund(payment).body["code"] == "ORIGINAL_NOT_PAID"
        payment.run_until(100)
        assert payment.call("query", order_no="c1").body["trade_state"] == "SUCCESS"
        assert charge(payment).body["trade_state"] == "SUCCESS"
        [(_, notice)] = payment.notified
        assert notice.body["trade_state"] == "SUCCESS"
        assert payment.gateway.balance("default") == 1

    def test_the_share_is_kept(self, runner: Any) -> None:
        payment = runner(PaymentGateway(world(processing=0.2), 1))
        seen = Counter(
            charge(payment, f"c{n}", agreement=f"{n:018d}00").body["trade_state"]
            for n in range(2000)
        )
        assert seen["PROCESSING"] / 2000 == pytest.approx(0.2, abs=0.03)


class TestNotifications:
    def test_one_acknowledged_attempt_is_enough(self, runner: Any) -> None:
        payment = runner(PaymentGateway(world(), 1))
        told = charge(payment).body
        payment.run_until(10**6)
        [(at, notice)] = payment.notified
        assert (at, notice.op, notice.key) == (1.0, "payment_notify", notice.body["notify_id"])
        assert notice.body["trade_no"] == told["trade_no"]
        assert notice.body["amount_fen"] == 1

    @pytest.mark.parametrize("schedule", ["alipay", "wechat"])
    @pytest.mark.parametrize("speedup", [1.0, 60.0])
    def test_unacknowledged_attempts_follow_the_schedule(
        self, runner: Any, schedule: str, speedup: float
    ) -> None:
        given = {"schedule": schedule, "speedup": speedup}
        payment = runner(PaymentGateway(world(notifications=given), 1), lambda notice: False)
        charge(payment)
        payment.run_until(10**6)
        times = [at for at, _ in payment.notified]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert gaps == pytest.approx([gap / speedup for gap in SCHEDULES[schedule]])
        assert len({notice.key for _, notice in payment.notified}) == 1
        assert [n.body["attempt"] for _, n in payment.notified] == [*range(1, len(times) + 1)]
        assert len(payment.gateway.space("default").state.notifications) == 0

    def test_acknowledging_any_copy_ends_it(self, runner: Any) -> None:
        answers = iter([False, False, False, True])
        given = {"duplicate": 1.0}
        payment = runner(
            PaymentGateway(world(notifications=given), 1), lambda notice: next(answers)
        )
        charge(payment)
        payment.run_until(10**6)
        assert [notice.attempt for _, notice in payment.notified] == [1, 1, 2, 2]

    def test_a_late_acknowledgement_stops_the_next_attempt(self, runner: Any) -> None:
        payment = runner(PaymentGateway(world(), 1), lambda notice: False)
        charge(payment)
        payment.run_until(2)
        [(_, notice)] = payment.notified
        assert payment.gateway.delivered(notice, True, 3) == []
        payment.run_until(10**6)
        assert len(payment.notified) == 1


class TestSettlement:
    def test_only_money_that_moved_between_the_moments(self, runner: Any) -> None:
        payment = runner(PaymentGateway(world(), 1))
        charge(payment, "c1", 100)
        charge(payment, "c2", 1051)
        payment.run_until(5000)
        refund(payment, "r1", "c1", 40)
        payment.run_until(9000)
        charge(payment, "c3", 7)
        rows = payment.gateway.settlement("default", 0, 9000)
        assert [(r.order_no, r.kind, r.amount_fen, r.time) for r in rows] == [
            ("c1", "charge", 100, 0),
            ("r1", "refund", 40, 5000),
        ]
        assert rows[0].trade_no == payment.call("query", order_no="c1").body["trade_no"]
        assert len(payment.gateway.settlement("default", 9000, 9001)) == 1
        assert payment.gateway.settlement("nobody", 0, 9000) == []

    def test_the_file_of_a_day_in_china(self, runner: Any) -> None:
        start, end = day_bounds(date(2026, 1, 31))
        assert end - start == 86400
        payment = runner(PaymentGateway(world(), 1))
        for n, at in enumerate([start - 1, start, end - 1, end]):
            payment.run_until(at)
            charge(payment, f"c{n}", 5)
        text = settlement_csv(payment.gateway.settlement("default", start, end))
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["order_no"] for row in rows] == ["c1", "c2", "TOTAL"]
        assert rows[-1]["amount_fen"] == "10"

    def test_old_hours_are_dropped_but_not_from_the_balance(self) -> None:
        ledger = Ledger()
        for hour in range(KEPT_HOURS + 10):
            ledger.move(f"c{hour}", 1, hour * 3600.0)
        kept = ledger.between(0, 10**9)
        assert len(kept) == KEPT_HOURS
        assert ledger.balance == KEPT_HOURS + 10


@pytest.mark.parametrize("amount", MAGIC_AMOUNTS)
def test_each_magic_amount_does_what_its_row_says(runner: Any, amount: int) -> None:
    magic = MAGIC_AMOUNTS[amount]
    payment = runner(PaymentGateway(world(), 1))
    reply = charge(payment, amount_fen=amount)
    if magic.transport == "ok":
        assert reply.body["trade_state"] == magic.state
        assert reply.delay == magic.delay
        assert reply.body["reason"] == (magic.reason if magic.state == "FAILED" else "")
    else:
        assert reply.transport == magic.transport
    asked = payment.call("query", order_no="c1").body
    assert asked["trade_state"] == magic.state
    payment.run_until(magic.settles + 10)
    asked = payment.call("query", order_no="c1").body
    assert (asked["trade_state"], asked["reason"]) == (magic.final, magic.reason)
    assert [n.body["trade_state"] for _, n in payment.notified] == [magic.final] * magic.copies
    paid = amount if magic.final == "SUCCESS" else 0
    assert payment.gateway.balance("default") == paid


orders = st.sampled_from([f"o{n}" for n in range(6)])
amounts = st.sampled_from([1, 2, 3, 1051, 1070, 1071])


class MoneyAddsUp(RuleBasedStateMachine):
    """Whatever is called in whatever order, the settlement equals what was answered."""

    def __init__(self) -> None:
        super().__init__()
        self.gateway = PaymentGateway(world(processing=0.3, decline=0.2), 1)
        self.now = 0.0
        self.timers: list[Timer] = []
        self.known: dict[str, int] = {}

    def call(self, op: str, **payload: Any) -> dict[str, Any]:
        reply, follow_ups = self.gateway.handle(Call(op, payload), self.now)
        self.timers += [item for item in follow_ups if isinstance(item, Timer)]
        assert reply.status in {code.status for code in CODES.values()}
        return reply.body

    @rule(order_no=orders, amount=amounts, agreement=st.sampled_from(["a", NORMAL]))
    def charge(self, order_no: str, amount: int, agreement: str) -> None:
        body = self.call("charge", order_no=order_no, agreement_no=agreement, amount_fen=amount)
        if body["code"] == "OK":
            assert self.known.setdefault(order_no, amount) == amount

    @rule(order_no=orders, original=orders, amount=amounts)
    def refund(self, order_no: str, original: str, amount: int) -> None:
        body = self.call("refund", order_no=order_no, original_order_no=original, amount_fen=amount)
        if body["code"] == "OK":
            assert self.known.setdefault(order_no, amount) == amount

    @rule(seconds=st.sampled_from([1.0, 60.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        due = [timer for timer in self.timers if timer.at <= self.now]
        self.timers = [timer for timer in self.timers if timer.at > self.now]
        for timer in due:
            more = self.gateway.fire(timer, self.now)
            self.timers += [item for item in more if isinstance(item, Timer)]

    @invariant()
    def conserved(self) -> None:
        rows = self.gateway.settlement("default", 0, self.now + 1)
        assert len({row.order_no for row in rows}) == len(rows)
        charged = sum(row.amount_fen for row in rows if row.kind == "charge")
        refunded = sum(row.amount_fen for row in rows if row.kind == "refund")
        assert 0 <= refunded <= charged
        assert self.gateway.balance("default") == charged - refunded
        told = {
            order_no: body
            for order_no in self.known
            if (body := self.call("query", order_no=order_no))["trade_state"] == "SUCCESS"
        }
        assert {row.order_no: row.amount_fen for row in rows} == {
            order_no: body["amount_fen"] for order_no, body in told.items()
        }
        for body in told.values():
            if "refunded_fen" in body:
                assert body["refunded_fen"] <= body["amount_fen"]


TestMoneyAddsUp = MoneyAddsUp.TestCase
TestMoneyAddsUp.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
