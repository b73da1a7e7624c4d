"""The payment gateway: charges by agreement, refunds, queries, notifications, settlement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import msgspec

from mocks.gateway import Gateway, Space
from mocks.messages import Call, CallRecord, FollowUp, Notification, Reply, Timer
from mocks.payload import complaint, text
from mocks.payment.codes import (
    CODES,
    MAGIC_AMOUNTS,
    REASON_BY_SUFFIX,
    SCHEDULES,
    MagicAmount,
    TradeState,
)
from mocks.payment.settlement import Ledger, SettlementRow
from mocks.recent import Keep, Recent
from mocks.redelivery import AGAIN, Redelivery
from scenarios.distributions import Delay
from scenarios.world import PaymentWorld

MOST_FEN = 100_000_000_00
"""The largest amount of one order: 100 million yuan."""
SETTLES = Delay(p50=2.0, p99=10.0)
"""Seconds for which a charge stays PROCESSING. Assumed."""

_SETTLE, _NOTIFY = "settle", "notify"
_AGREEMENT_DIGITS = 20
_CHARGE = ("order_no", "agreement_no")
_REFUND = ("order_no", "original_order_no")


class PaymentOrder(msgspec.Struct, gc=False):
    """A charge or a refund. `on`: the agreement charged, or the order refunded; `final` and
    `reason`: what it will be once settled; `refunded`: fen of a charge that went back; `nth`:
    charges of this agreement before it."""

    op: Literal["charge", "refund"]
    order_no: str
    agreement_no: str
    on: str
    amount_fen: int
    state: TradeState
    final: TradeState
    reason: str
    copies: int
    nth: int
    refunded: int = 0


class PaymentState:
    """One namespace: orders by number, the money that moved, unacknowledged notifications."""

    __slots__ = ("ledger", "notifications", "orders")

    def __init__(self, gaps: tuple[float, ...], keep: Keep) -> None:
        self.orders: Recent[str, PaymentOrder] = Recent(keep.orders, keep.few)
        self.ledger = Ledger(keep.file_hours)
        self.notifications = Redelivery(gaps)


class PaymentGateway(Gateway[PaymentState]):
    """`charge` and `refund` are idempotent by `order_no`: the same parameters get the order as it
    stands, others ORDER_CONFLICT; refusals of a call are not kept. Every charge that reaches
    SUCCESS or FAILED is notified until that is acknowledged."""

    name = "payment"
    operations: ClassVar[Mapping[str, str]] = {
        "charge": "/v1/charge",
        "refund": "/v1/refund",
        "query": "/v1/query",
    }

    def __init__(
        self,
        world: PaymentWorld,
        seed: int,
        on_call: Callable[[CallRecord], None] | None = None,
    ) -> None:
        super().__init__(world, seed, on_call)
        self._payment_world = world
        speedup = world.notifications.speedup
        self._gaps = tuple(gap / speedup for gap in SCHEDULES[world.notifications.schedule])

    @property
    def limit_code(self) -> str:
        return "RATE_LIMITED"

    def new_state(self) -> PaymentState:
        return PaymentState(self._gaps, self.keep)

    def subject(self, call: Call, state: PaymentState) -> tuple[str, str]:
        if call.op == "charge":
            return text(call.payload, "agreement_no"), ""
        field = "original_order_no" if call.op == "refund" else "order_no"
        order = state.orders.get(text(call.payload, field))
        return ("" if order is None else order.agreement_no), ""

    def refusal(self, op: str, code: str, status: int) -> Reply:
        known = CODES.get(code)
        if known is not None and known.place == "reason":
            return Reply(status, {"code": "OK", "trade_state": "FAILED", "reason": code}, code)
        return _refused(code, status)

    def answer(
        self,
        call: Call,
        space: Space[PaymentState],
        subject: str,
        issuer: str,
        nth: int,
        now: float,
    ) -> tuple[Reply, list[FollowUp]]:
        if call.op == "query":
            return self._query(call.payload, space.state), []
        fields = _CHARGE if call.op == "charge" else _REFUND
        if problem := _problem(call.payload, fields):
            return _refused("PARAM_ERROR", message=problem), []
        if call.op == "charge":
            return self._charge(call, space.state, nth, now)
        return self._refund(call.payload, space.state, now), []

    # ── charging ────────────────────────────────────────────────────────────────────────────────

    def _charge(
        self, call: Call, state: PaymentState, nth: int, now: float
    ) -> tuple[Reply, list[FollowUp]]:
        order_no: str = call.payload["order_no"]
        agreement_no: str = call.payload["agreement_no"]
        amount: int = call.payload["amount_fen"]
        order = state.orders.get(order_no)
        if order is not None:
            return self._repeated(order, "charge", agreement_no, amount), []
        fate = MAGIC_AMOUNTS.get(amount) or self._drawn(agreement_no, nth)
        order = PaymentOrder(
            op="charge",
            order_no=order_no,
            agreement_no=agreement_no,
            on=agreement_no,
            amount_fen=amount,
            state=fate.state,
            final=fate.final,
            reason=fate.reason,
            copies=fate.copies,
            nth=nth,
        )
        state.orders.put(order_no, order, now)
        if order.state == "PROCESSING":
            timer = Timer(now + fate.settles, _SETTLE, order_no, call.namespace)
            effects: list[FollowUp] = [timer]
        else:
            effects = self._settled(order, state, call.namespace, now)
        reply = self._told(order)
        reply.delay, reply.transport = fate.delay, fate.transport
        return reply, effects

    def _drawn(self, agreement_no: str, nth: int) -> MagicAmount:
        world = self._payment_world
        reason = ""
        if len(agreement_no) == _AGREEMENT_DIGITS:
            reason = REASON_BY_SUFFIX.get(agreement_no[-2:], "")
        if not reason and world.decline:
            declined = self.keyed.uniform("payment", "agreement", agreement_no) < world.decline
            reason = "INSUFFICIENT_FUNDS" if declined else ""
        final: TradeState = "FAILED" if reason else "SUCCESS"
        twice = world.notifications.duplicate
        if twice:
            twice = self.keyed.uniform("payment", "twice", agreement_no, nth) < twice
        copies = 2 if twice else 1
        if world.processing:
            draw = self.keyed.uniform("payment", "processing", agreement_no, nth)
            if draw < world.processing:
                settles = SETTLES.at(self.keyed.uniform("payment", "settles", agreement_no, nth))
                return MagicAmount("PROCESSING", final, reason, settles, 0.0, "ok", copies)
        return MagicAmount(final, final, reason, 0.0, 0.0, "ok", copies)

    def _settled(
        self, order: PaymentOrder, state: PaymentState, namespace: str, now: float
    ) -> list[FollowUp]:
        if order.state == "SUCCESS":
            state.ledger.move(order.order_no, order.amount_fen, now)
        if not order.copies:
            return []
        uniform = self.keyed.uniform("payment", "notify", order.agreement_no, order.nth)
        first = now + self._payment_world.notifications.delay.at(uniform)
        return [Timer(first, _NOTIFY, order.order_no, namespace)]

    # ── refunds and queries ─────────────────────────────────────────────────────────────────────

    def _refund(self, payload: dict[str, Any], state: PaymentState, now: float) -> Reply:
        order_no: str = payload["order_no"]
        original_no: str = payload["original_order_no"]
        amount: int = payload["amount_fen"]
        order = state.orders.get(order_no)
        if order is not None:
            return self._repeated(order, "refund", original_no, amount)
        original = state.orders.get(original_no)
        if original is None or original.op != "charge":
            return _refused("ORIGINAL_NOT_FOUND", order_no=order_no)
        if original.state != "SUCCESS":
            return _refused("ORIGINAL_NOT_PAID", order_no=order_no)
        if original.refunded + amount > original.amount_fen:
            return _refused("REFUND_EXCEEDS", order_no=order_no)
        original.refunded += amount
        state.ledger.move(order_no, -amount, now)
        order = PaymentOrder(
            op="refund",
            order_no=order_no,
            agreement_no=original.agreement_no,
            on=original_no,
            amount_fen=amount,
            state="SUCCESS",
            final="SUCCESS",
            reason="",
            copies=0,
            nth=0,
        )
        state.orders.put(order_no, order, now)
        return self._told(order)

    def _query(self, payload: dict[str, Any], state: PaymentState) -> Reply:
        field, why = complaint(payload, ("order_no",))
        if field:
            return _refused("PARAM_ERROR", message=f"{field} is {why}")
        order_no: str = payload["order_no"]
        order = state.orders.get(order_no)
        if order is None:
            return _refused("ORDER_NOT_FOUND", order_no=order_no)
        return self._told(order)

    def _repeated(self, order: PaymentOrder, op: str, on: str, amount: int) -> Reply:
        if (order.op, order.on, order.amount_fen) != (op, on, amount):
            return _refused("ORDER_CONFLICT", order_no=order.order_no)
        return self._told(order)

    def _told(self, order: PaymentOrder) -> Reply:
        reason = order.reason if order.state == "FAILED" else ""
        body: dict[str, Any] = {
            "code": "OK",
            "order_no": order.order_no,
            "trade_no": self.trade_no(order.order_no),
            "trade_state": order.state,
            "reason": reason,
            "amount_fen": order.amount_fen,
        }
        if order.op == "charge":
            body["refunded_fen"] = order.refunded
        else:
            body["original_order_no"] = order.on
        return Reply(200, body, reason or order.state)

    def trade_no(self, order_no: str) -> str:
        """The gateway's own number of an order: 20 digits."""
        return f"{self.keyed.integer('payment', 'trade', order_no):020d}"

    # ── what happens later ──────────────────────────────────────────────────────────────────────

    def fire(self, timer: Timer, now: float) -> list[FollowUp]:
        """A PROCESSING charge is settled, or a notification is due."""
        space = self.known(timer.namespace)
        if space is None:
            return []
        state = space.state
        if timer.event == AGAIN:
            again = state.notifications.again(timer.key)
            if again is None:
                return []
            return self._copies(again, state.orders.get(again.body["order_no"]))
        order = state.orders.get(timer.key)
        if order is None:
            return []
        if timer.event == _SETTLE:
            order.state = order.final
            return self._settled(order, state, timer.namespace, now)
        first = state.notifications.begin(self._notification(order, timer.namespace))
        return self._copies(first, order)

    def _notification(self, order: PaymentOrder, namespace: str) -> Notification:
        number = self.keyed.integer("payment", "notify-id", order.agreement_no, order.nth)
        notify_id = f"{number:016x}"
        body = {
            "notify_id": notify_id,
            "order_no": order.order_no,
            "trade_no": self.trade_no(order.order_no),
            "trade_state": order.state,
            "reason": order.reason,
            "amount_fen": order.amount_fen,
            "attempt": 1,
        }
        return Notification("payment_notify", notify_id, body, namespace=namespace)

    def _copies(self, notification: Notification, order: PaymentOrder | None) -> list[FollowUp]:
        return [notification] * (order.copies if order else 1)

    def delivered(
        self, notification: Notification, acknowledged: bool, now: float
    ) -> list[FollowUp]:
        """A notification was acknowledged, or will be sent again after the schedule's next gap."""
        space = self.known(notification.namespace)
        if space is None:
            return []
        return [*space.state.notifications.outcome(notification, acknowledged, now)]

    # ── settlement ──────────────────────────────────────────────────────────────────────────────

    def settlement(self, namespace: str, start: float, end: float) -> list[SettlementRow]:
        """The money that moved in [start, end) seconds, in order."""
        space = self.known(namespace)
        if space is None:
            return []
        return [
            SettlementRow(
                order_no=moved.order_no,
                trade_no=self.trade_no(moved.order_no),
                kind="charge" if moved.amount_fen > 0 else "refund",
                amount_fen=abs(moved.amount_fen),
                state="SUCCESS",
                time=moved.time,
            )
            for moved in space.state.ledger.between(start, end)
        ]

    def balance(self, namespace: str) -> int:
        """Charges less refunds so far, in fen."""
        space = self.known(namespace)
        return 0 if space is None else space.state.ledger.balance


def _problem(payload: dict[str, Any], fields: tuple[str, ...]) -> str:
    field, why = complaint(payload, fields)
    if field:
        return f"{field} is {why}"
    amount = payload.get("amount_fen")
    if not isinstance(amount, int) or isinstance(amount, bool) or not 1 <= amount <= MOST_FEN:
        return f"amount_fen is not a whole number from 1 to {MOST_FEN}"
    return ""


def _refused(code: str, status: int = 0, order_no: str = "", message: str = "") -> Reply:
    known = CODES.get(code)
    body = {
        "code": code,
        "order_no": order_no,
        "trade_state": "",
        "message": message or (known.en if known else ""),
    }
    return Reply(status or (known.status if known else 200), body, code)
