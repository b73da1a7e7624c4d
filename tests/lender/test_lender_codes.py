"""Policies about one-time codes and unclear answers: cooldown, codes without a report, errors."""

from __future__ import annotations

from typing import Any

from lender_world import FakeWorld, Shop, answer, error

from scenarios.policy import LenderPolicy


def _shop(world: FakeWorld, **policy: Any) -> Shop:
    shop = Shop(world, policy=LenderPolicy.model_validate(policy))
    shop.submitted()
    return shop


def _sent(shop: Shop) -> int:
    return len(shop.gateways.made("sms", "send"))


# ── cooldown ────────────────────────────────────────────────────────────────────────────────────


def test_a_code_asked_for_within_the_cooldown_is_refused(memory_world: FakeWorld) -> None:
    shop = _shop(memory_world, otp={"cooldown": 60})
    memory_world.advance(20)
    refused = shop.ask("resend")
    assert (error(refused), refused.status) == ("SMS_LIMIT", 429)
    assert 39 <= int(refused.headers["Retry-After"]) <= 40
    memory_world.advance(45)
    assert shop.ask("resend").status == 200
    assert error(shop.ask("resend")) == "SMS_LIMIT", "each code starts the cooldown again"
    assert _sent(shop) == 2


def test_of_resends_at_the_same_time_one_passes(memory_world: FakeWorld) -> None:
    shop = _shop(memory_world, otp={"cooldown": 60})
    memory_world.advance(61)
    replies = [memory_world.start(shop.lender.handle(shop.request("resend"))) for _ in range(5)]
    memory_world.advance(5)
    assert sorted(reply[0].status for reply in replies) == [200, 429, 429, 429, 429]
    assert _sent(shop) == 2


def test_without_a_cooldown_the_lender_refuses_nobody(memory_world: FakeWorld) -> None:
    shop = _shop(memory_world)
    assert [shop.ask("resend").status for _ in range(4)] == [200] * 4


# ── codes that no report confirms ───────────────────────────────────────────────────────────────


def _report(shop: Shop, status: str) -> None:
    out_id = shop.gateways.made("sms", "send")[-1]["out_id"]
    body = {"out_id": out_id, "status": status}
    assert shop.world.run(shop.lender.callback("sms_report", body))


def test_an_unreported_code_is_sent_once_more_unchanged(memory_world: FakeWorld) -> None:
    shop = _shop(memory_world, sms={"resend_unreported": 10})
    memory_world.advance(60)
    assert len(shop.gateways.texts) == 2
    assert shop.gateways.texts[0] == shop.gateways.texts[1]
    assert shop.confirm().status == 200


def test_a_delivered_code_is_not_sent_again(memory_world: FakeWorld) -> None:
    shop = _shop(memory_world, sms={"resend_unreported": 10})
    _report(shop, "DELIVRD")
    memory_world.advance(60)
    assert _sent(shop) == 1


def test_a_code_that_was_used_is_not_sent_again(memory_world: FakeWorld) -> None:
    shop = _shop(memory_world, sms={"resend_unreported": 10})
    assert shop.confirm().status == 200
    memory_world.advance(60)
    assert _sent(shop) == 1


def test_the_retry_budget_bounds_what_is_sent_again(memory_world: FakeWorld) -> None:
    budget = {"ratio": 0, "burst": 1}
    shop = _shop(memory_world, sms={"resend_unreported": 10, "retry_budget": budget})
    memory_world.advance(60)
    assert shop.ask("resend").status == 200
    memory_world.advance(60)
    assert _sent(shop) == 3, "two codes asked for, one sent again"


# ── server errors ───────────────────────────────────────────────────────────────────────────────


def test_a_server_error_is_asked_about(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.authorised()
    _charged_and_error(shop)
    assert shop.pay().status == 200
    memory_world.advance(30)
    assert len(shop.gateways.charges) == len(shop.gateways.refunds) == 1


def test_a_server_error_believed_to_be_a_decline_leaves_money_behind(
    memory_world: FakeWorld,
) -> None:
    policy = LenderPolicy.model_validate({"payment": {"server_error": "declined"}})
    shop = Shop(memory_world, policy=policy)
    shop.authorised()
    _charged_and_error(shop)
    assert error(shop.pay()) == "PAYMENT_DECLINED"
    memory_world.advance(300)
    assert (shop.state(), shop.stored().reason) == ("FAILED", "server_error")
    assert (len(shop.gateways.charges), len(shop.gateways.refunds)) == (1, 0)


def _charged_and_error(shop: Shop) -> None:
    order_no = f"{shop.binding}-charge"
    shop.gateways.charges[order_no] = 1
    shop.gateways.script["payment", "charge"].append(answer(500, code="SYSTEM_ERROR"))
