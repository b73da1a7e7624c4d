"""Unknown outcomes, retries, notifications, and what the outbox makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lender_world import AGREEMENT, FakeWorld, Shop, answer, error

from mocks.lender.outbox import WORKERS
from mocks.lender.partner_answers import BANK_DECLINES, Outcome, bank_open, payment_order
from mocks.world import GatewayAnswer
from scenarios.policy import LenderPolicy
from scenarios.population.cards import luhn_digit

PATIENT = LenderPolicy.model_validate({"bank": {"attempts": 3}, "payment": {"attempts": 3}})
UNSURE = [answer(respCode=code) for code in ("03", "04", "05", "12", "83", "??")]
MAYBE_DONE = ["timeout_done", "reset_done", *(lambda reply, a=a: a for a in UNSURE)]


def _orders(payloads: list[dict[str, Any]]) -> set[str]:
    return {payload["order_no"] for payload in payloads}


# ── bank ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("outcome", MAYBE_DONE)
def test_unknown_opening_is_asked_about_not_repeated(
    memory_world: FakeWorld, outcome: str | Callable[[GatewayAnswer], GatewayAnswer]
) -> None:
    shop = Shop(memory_world, policy=PATIENT)
    shop.submitted()
    shop.gateways.script["bank", "open"].append(outcome)
    confirmed = shop.confirm()
    assert (confirmed.status, confirmed.body["state"]) == (200, "VERIFIED")
    assert [op for gateway, op, _ in shop.gateways.calls if gateway == "bank"] == ["open", "query"]


@pytest.mark.parametrize(
    "outcome", ["unreachable", answer(503), answer(429, respCode="37"), answer(respCode="06")]
)
def test_opening_that_did_nothing_is_repeated_at_once(
    memory_world: FakeWorld, outcome: object
) -> None:
    shop = Shop(memory_world, policy=PATIENT)
    shop.submitted()
    shop.gateways.script["bank", "open"].extend([outcome, outcome])
    assert shop.confirm().status == 200
    assert not shop.gateways.made("bank", "query")
    opened = shop.gateways.made("bank", "open")
    assert len(opened) == 3
    assert len(_orders(opened)) == 1


def test_opening_that_never_arrived_is_repeated_after_asking(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world, policy=PATIENT)
    shop.submitted()
    shop.gateways.script["bank", "open"].extend(["timeout", answer(500)])
    assert shop.confirm().status == 200
    made = [op for gateway, op, _ in shop.gateways.calls if gateway == "bank"]
    assert made == ["open", "query", "open", "query", "open"]


def test_bank_unavailable_leaves_the_code_usable(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.submitted()
    shop.gateways.script["bank", "open"].extend(["unreachable", answer(503)])
    for _ in range(2):
        refused = shop.confirm()
        assert (refused.status, error(refused)) == (503, "BANK_UNAVAILABLE")
        assert shop.state() == "OTP_SENT"
    assert shop.confirm(shop.wrong_code()).status == 403
    assert shop.confirm().status == 200
    assert len(_orders(shop.gateways.made("bank", "open"))) == 1


@pytest.mark.parametrize(
    ("code", "reason"),
    [("66", "identity_mismatch"), ("61", "invalid_card"), ("63", "card_state"), ("77", None)],
)
def test_declined(memory_world: FakeWorld, code: str, reason: str | None) -> None:
    shop = Shop(memory_world)
    shop.submitted()
    shop.gateways.script["bank", "open"].append(answer(respCode=code))
    for _ in range(2):
        declined = shop.confirm()
        assert (declined.status, error(declined)) == (402, "BANK_DECLINED")
        assert declined.body["error"]["reason"] == reason or BANK_DECLINES[code]
    assert shop.state() == "REJECTED"
    assert len(shop.gateways.made("bank", "open")) == 1
    assert shop.submit().status == 201, "the card may be submitted again"


def test_declined_after_asking(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.submitted()
    shop.gateways.script["bank", "open"].append(answer(respCode="05"))
    shop.gateways.script["bank", "query"].extend(
        [answer(respCode="00", origRespCode="05"), answer(respCode="00", origRespCode="66")]
    )
    declined = shop.confirm()
    assert declined.body["error"]["reason"] == "identity_mismatch"


def test_still_unknown_is_settled_in_the_background(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.submitted()
    shop.gateways.script["bank", "open"].append("timeout_done")
    shop.gateways.script["bank", "query"].extend(["timeout"] * 5)
    pending = shop.confirm()
    assert (pending.status, pending.body) == (202, {"state": "VERIFYING"})
    assert shop.call("open").status == "UNKNOWN"
    assert shop.confirm().status == 202
    world.advance(60)
    assert shop.state() == "VERIFIED"
    assert shop.confirm().status == 200
    assert len(shop.gateways.made("bank", "open")) == 1


def test_background_sends_what_never_arrived(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.submitted()
    shop.gateways.script["bank", "open"].append("timeout")
    shop.gateways.script["bank", "query"].extend([answer(500)] * 3)
    assert shop.confirm().status == 202
    memory_world.advance(10)
    assert shop.state() == "VERIFIED"
    assert len(_orders(shop.gateways.made("bank", "open"))) == 1


def test_unknown_for_ever_fails(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.submitted()
    shop.gateways.script["bank", "open"].append(answer(respCode="03"))
    shop.gateways.script["bank", "query"].extend([answer(respCode="37")] * 500)
    assert shop.confirm().status == 202
    memory_world.advance(590)
    assert shop.state() == "VERIFYING"
    memory_world.advance(100)
    assert shop.ask("status").body["reason"] == "bank_unknown"
    assert shop.state() == "FAILED"
    asked = len(shop.gateways.made("bank", "query"))
    assert asked < 40, "the looks grow apart"
    again = shop.confirm()
    assert (again.status, again.body["error"]["reason"]) == (402, "bank_unknown")


def test_answer_to_a_superseded_binding_changes_nothing(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.submitted()
    first = shop.binding
    shop.gateways.script["bank", "open"].append("timeout_done")
    running = memory_world.start(
        shop.lender.handle(shop.request("confirm", {"otp": shop.gateways.code()}))
    )
    memory_world.advance(1)
    assert shop.submit().status == 201
    memory_world.advance(10)
    assert (running[0].status, error(running[0])) == (409, "WRONG_STATE")
    assert shop.ask("status", binding=first).body["state"] == "EXPIRED"


def test_approval_without_agreement_number_is_asked_about() -> None:
    assert bank_open(answer(respCode="A6")).outcome == Outcome.UNKNOWN
    assert bank_open(answer(respCode="A6", agreement_no=AGREEMENT)).outcome == Outcome.DONE


# ── payment ─────────────────────────────────────────────────────────────────────────────────────


def test_declined_payment(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.authorised()
    declined = answer(code="OK", trade_state="FAILED", reason="INSUFFICIENT_FUNDS")
    shop.gateways.script["payment", "charge"].append(declined)
    for _ in range(2):
        refused = shop.pay()
        assert (refused.status, error(refused)) == (402, "PAYMENT_DECLINED")
        assert refused.body["error"]["reason"] == "insufficient_funds"
    assert shop.state() == "FAILED"
    world.advance(5)
    assert not shop.gateways.charges
    assert not shop.gateways.made("payment", "refund")


@pytest.mark.parametrize("outcome", ["unreachable", answer(503), answer(429, code="RATE_LIMITED")])
def test_payment_unavailable_then_charged_once(world: FakeWorld, outcome: object) -> None:
    shop = Shop(world)
    shop.authorised()
    shop.gateways.script["payment", "charge"].append(outcome)
    refused = shop.pay()
    assert (refused.status, error(refused)) == (503, "PAYMENT_UNAVAILABLE")
    assert shop.state() == "AUTHORISED"
    assert shop.pay().status == 200
    assert _orders(shop.gateways.made("payment", "charge")) == {f"{shop.binding}-charge"}


@pytest.mark.parametrize("outcome", ["timeout_done", "reset_done"])
def test_lost_charge_reply_is_asked_about(memory_world: FakeWorld, outcome: str) -> None:
    shop = Shop(memory_world, policy=PATIENT)
    shop.authorised()
    shop.gateways.script["payment", "charge"].append(outcome)
    assert shop.pay().status == 200
    assert len(shop.gateways.made("payment", "charge")) == 1


def _processing(shop: Shop) -> None:
    processing = answer(code="OK", trade_state="PROCESSING")
    shop.gateways.script["payment", "charge"].append(lambda _: processing)
    shop.gateways.script["payment", "query"].extend([processing] * 6)
    pending = shop.pay()
    assert (pending.status, pending.body) == (202, {"state": "PAYING"})


def _notify(shop: Shop, state: str = "SUCCESS", **changes: object) -> bool:
    body = {
        "order_no": f"{shop.binding}-charge",
        "trade_state": state,
        "amount_fen": 1,
        "notify_id": "n1",
        **changes,
    }
    return shop.world.run(shop.lender.callback("payment_notify", body))


def test_notification_settles_a_charge_in_processing(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.authorised()
    _processing(shop)
    assert shop.pay().status == 202
    assert _notify(shop, "PROCESSING")
    assert shop.state() == "PAYING"
    assert _notify(shop)
    assert shop.state() == "ACTIVE"
    assert _notify(shop), "a duplicate is acknowledged"
    assert _notify(shop, "FAILED"), "and late news changes nothing"
    world.advance(100)
    assert shop.state() == "ACTIVE"
    assert len(shop.gateways.made("payment", "charge")) == 1
    assert len(shop.gateways.refunds) == 1


def test_background_settles_a_charge_without_notification(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.authorised()
    _processing(shop)
    memory_world.advance(120)
    assert shop.state() == "ACTIVE"
    assert len(shop.gateways.refunds) == 1


def test_failed_notification(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.authorised()
    _processing(shop)
    assert _notify(shop, "FAILED", reason="CARD_LOST")
    assert shop.ask("status").body["reason"] == "card_lost"
    assert shop.pay().status == 402


def test_notification_before_the_reply(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.authorised()
    paying = world.start(shop.lender.handle(shop.request("test_payment")))
    world.advance(0.05)
    assert shop.state() == "PAYING"
    assert _notify(shop)
    world.advance(1)
    assert (paying[0].status, paying[0].body["state"]) == (200, "ACTIVE")
    assert len(shop.gateways.made("payment", "refund")) == 1


def test_two_payments_at_once_charge_once(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.authorised()
    replies = [world.start(shop.lender.handle(shop.request("test_payment"))) for _ in range(2)]
    world.advance(1)
    assert sorted(reply[0].status for reply in replies) == [200, 202]
    assert len(shop.gateways.made("payment", "charge")) == 1
    assert shop.pay().status == 200


def test_foreign_notifications_are_not_acknowledged(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.authorised()
    _processing(shop)
    assert not _notify(shop, order_no="bnd_0-charge")
    assert not _notify(shop, order_no=f"{shop.binding}-open")
    assert not _notify(shop, amount_fen=100)
    assert shop.state() == "PAYING"


def test_success_after_giving_up_is_refunded(memory_world: FakeWorld) -> None:
    policy = LenderPolicy.model_validate({"give_up_after": "10s"})
    shop = Shop(memory_world, policy=policy)
    shop.authorised()
    processing = answer(code="OK", trade_state="PROCESSING")
    shop.gateways.script["payment", "charge"].append(lambda _: processing)
    shop.gateways.script["payment", "query"].extend([processing] * 50)
    assert shop.pay().status == 202
    memory_world.advance(40)
    assert shop.ask("status").body["reason"] == "payment_unknown"
    assert _notify(shop)
    memory_world.advance(5)
    assert shop.state() == "FAILED"
    assert len(shop.gateways.refunds) == 1


def test_success_after_unavailable_activates(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.authorised()
    # The request is still on its way when the gateway says that it does not know the order.
    shop.gateways.script["payment", "charge"].append("timeout")
    assert error(shop.pay()) == "PAYMENT_UNAVAILABLE"
    shop.gateways.charges[f"{shop.binding}-charge"] = 1
    assert _notify(shop)
    assert shop.state() == "ACTIVE"


def test_refund_is_owed_until_done(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.authorised()
    shop.gateways.script["payment", "refund"].extend(["unreachable"] * 20)
    assert shop.pay().status == 200
    memory_world.advance(900)
    assert not shop.gateways.refunds
    memory_world.advance(900)
    assert len(shop.gateways.refunds) == 1
    assert len(_orders(shop.gateways.made("payment", "refund"))) == 1
    memory_world.advance(900)
    assert shop.call("refund").status == "DONE"


def test_refused_refund_is_recorded(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.authorised()
    shop.gateways.script["payment", "refund"].append(answer(code="REFUND_EXCEEDS"))
    shop.pay()
    memory_world.advance(1)
    assert [(e.action, e.detail) for e in shop.audit()][-1] == ("refund_refused", "refund_exceeds")


def test_refund_notification(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.authorised()
    shop.gateways.script["payment", "refund"].append("timeout")
    shop.gateways.script["payment", "query"].extend(["timeout"] * 3)
    shop.pay()
    memory_world.advance(1)
    assert _notify(shop, order_no=f"{shop.binding}-refund")
    assert shop.call("refund").result == "done"


def test_unlisted_payment_answers_are_unknown() -> None:
    assert payment_order(answer(code="OK")).outcome == Outcome.UNKNOWN
    assert payment_order(answer(code="SOMETHING")).outcome == Outcome.UNKNOWN
    assert payment_order(answer(502)).outcome == Outcome.UNKNOWN
    assert payment_order(answer(409, code="ORDER_CONFLICT")).outcome == Outcome.DECLINED


def test_many_unknown_calls_are_settled_by_few_workers(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.registered()
    shop.gateways.script["bank", "open"].extend(["timeout_done"] * 50)
    shop.gateways.script["bank", "query"].extend([answer(500)] * 150)
    bindings, confirming = [], []
    for number in range(50):
        digits = f"621626990000{number:06d}"
        shop.submit(card_number=digits + luhn_digit(digits))
        bindings.append(shop.binding)
        confirming.append(shop.request("confirm", {"otp": shop.gateways.code()}))
    replies = [memory_world.start(shop.lender.handle(request)) for request in confirming]
    memory_world.advance(5)
    assert [reply[0].status for reply in replies] == [202] * 50
    memory_world.most_held = 0
    memory_world.advance(10)
    states = {shop.ask("status", binding=binding).body["state"] for binding in bindings}
    assert states == {"VERIFIED"}
    assert memory_world.most_held == WORKERS
