"""The lender's resilience policies, each on scripted partners."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from lender_world import FakeWorld, Shop, answer, error

from mocks.lender.service import LenderResponse
from scenarios.policy import LenderPolicy
from scenarios.population.cards import luhn_digit

DOWN = ["unreachable"] * 1000


def _shop(world: FakeWorld, **policy: Any) -> Shop:
    shop = Shop(world, policy=LenderPolicy.model_validate(policy))
    shop.submitted()
    return shop


def _made(shop: Shop, gateway: str) -> list[str]:
    return [op for where, op, _ in shop.gateways.calls if where == gateway]


def _orders(shop: Shop, gateway: str, op: str) -> set[str]:
    return {payload["order_no"] for payload in shop.gateways.made(gateway, op)}


def _submit_more(shop: Shop, count: int) -> list[tuple[str, str]]:
    """Bindings of other cards with their codes."""
    more = []
    for number in range(count):
        digits = f"621626990000{number:06d}"
        assert shop.submit(card_number=digits + luhn_digit(digits)).status == 201
        more.append((shop.binding, shop.gateways.code()))
    return more


def _confirm_at_once(
    shop: Shop, bindings: list[tuple[str, str]], seconds: float
) -> list[LenderResponse]:
    replies = [
        shop.world.start(shop.lender.handle(shop.request("confirm", {"otp": otp}, binding=binding)))
        for binding, otp in bindings
    ]
    shop.world.advance(seconds)
    return [reply[0] for reply in replies]


def _counted(shop: Shop, policy: str, action: str, target: str = "bank") -> int:
    return shop.lender.decisions.of(policy, action, target)


# ── retries ─────────────────────────────────────────────────────────────────────────────────────


def test_naive_retries_ask_before_each_repetition(memory_world: FakeWorld) -> None:
    shop = _shop(memory_world, bank={"attempts": 5, "backoff": 0, "query_after": 0})
    shop.gateways.script["bank", "open"].extend(["timeout"] * 4)
    assert shop.confirm().status == 200
    assert _made(shop, "bank") == ["open", "query"] * 4 + ["open"]
    assert len(_orders(shop, "bank", "open")) == 1


def test_resending_repeats_the_order_under_its_number_and_asks_last(
    memory_world: FakeWorld,
) -> None:
    shop = _shop(memory_world, bank={"attempts": 3, "backoff": 0, "after_no_answer": "resend"})
    shop.gateways.script["bank", "open"].extend(["timeout", "timeout", "timeout_done"])
    assert shop.confirm().status == 200
    assert _made(shop, "bank") == ["open"] * 3 + ["query"]
    assert len(_orders(shop, "bank", "open")) == 1


def test_resending_takes_a_refusal_for_no_proof_of_the_earlier_attempt(
    memory_world: FakeWorld,
) -> None:
    resend = {"attempts": 2, "backoff": 0, "after_no_answer": "resend", "queries": 1}
    shop = _shop(memory_world, payment=resend)
    assert shop.confirm().status == 200
    assert shop.authorise().status == 200
    shop.gateways.script["payment", "charge"].extend(["timeout_done", answer(503)])
    shop.gateways.script["payment", "query"].append(answer(500))
    assert shop.pay().status == 202, "the first attempt may have charged"
    memory_world.advance(30)
    assert shop.state() == "ACTIVE"
    assert len(shop.gateways.charges) == len(shop.gateways.refunds) == 1


def test_backoff_with_full_jitter_waits_a_drawn_part(memory_world: FakeWorld) -> None:
    bank = {"attempts": 3, "backoff": 4, "jitter": "full"}
    shop = _shop(memory_world, bank=bank)
    shop.gateways.script["bank", "open"].extend(DOWN)
    assert error(shop.confirm()) == "BANK_UNAVAILABLE"
    at = [when for when, what, _ in memory_world.called if what == "bank open"]
    assert [b - a for a, b in pairwise(at)] == pytest.approx([2.0, 4.0])


def test_retry_budget_ends_retries(memory_world: FakeWorld) -> None:
    budget = {"ratio": 0.5, "burst": 2}
    shop = _shop(memory_world, bank={"attempts": 5, "backoff": 0, "retry_budget": budget})
    shop.gateways.script["bank", "open"].extend(DOWN)
    made = []
    for _ in range(6):
        before = len(_made(shop, "bank"))
        assert error(shop.confirm()) == "BANK_UNAVAILABLE"
        made.append(len(_made(shop, "bank")) - before)
    assert made == [3, 1, 2, 1, 2, 1]
    assert _counted(shop, "retry_budget", "exhausted") == 6


# ── circuit breaker, bulkhead, adaptive limit ───────────────────────────────────────────────────

BREAKER = {"minimum_calls": 3, "open_for": 5, "probes": 1}


def test_open_breaker_fails_at_once_and_says_when_to_come_back(memory_world: FakeWorld) -> None:
    shop = _shop(memory_world, bank={"breaker": BREAKER})
    shop.gateways.script["bank", "open"].extend(["unreachable"] * 3)
    for _ in range(3):
        assert error(shop.confirm()) == "BANK_UNAVAILABLE"
    began = memory_world.now()
    refused = shop.confirm()
    assert (refused.status, error(refused)) == (503, "BANK_UNAVAILABLE")
    assert refused.headers == {"Retry-After": "5"}
    assert memory_world.now() == began
    assert len(_made(shop, "bank")) == 3
    assert shop.state() == "OTP_SENT"
    memory_world.advance(5)
    assert shop.confirm().status == 200
    assert len(_made(shop, "bank")) == 4
    done = [_counted(shop, "breaker", what) for what in ("opened", "half_opened", "closed")]
    assert done == [1, 1, 1]
    assert _counted(shop, "breaker", "refused") == 1


def test_declined_cards_do_not_open_the_breaker(memory_world: FakeWorld) -> None:
    shop = _shop(memory_world, bank={"breaker": BREAKER})
    more = _submit_more(shop, 6)
    shop.gateways.script["bank", "open"].extend([answer(respCode="63")] * 5)
    replies = [shop.ask("confirm", {"otp": otp}, binding=binding) for binding, otp in more]
    assert [reply.status for reply in replies] == [402] * 5 + [200]


def test_breaker_of_one_partner_leaves_the_others_alone(memory_world: FakeWorld) -> None:
    shop = _shop(memory_world, bank={"breaker": BREAKER}, payment={"breaker": BREAKER})
    assert shop.confirm().status == 200
    assert shop.authorise().status == 200
    shop.gateways.script["payment", "charge"].extend(["unreachable"] * 3)
    for _ in range(4):
        refused = shop.pay()
        assert error(refused) == "PAYMENT_UNAVAILABLE"
    assert refused.headers == {"Retry-After": "5"}
    assert shop.submit().status == 201
    assert shop.confirm().status == 200


@pytest.mark.parametrize(
    ("policy", "bank"),
    [
        ("bulkhead", {"max_concurrent": 2}),
        ("adaptive_limit", {"adaptive_limit": {"initial": 2}}),
    ],
)
def test_calls_beyond_the_limit_are_refused_not_lined_up(
    memory_world: FakeWorld, policy: str, bank: dict[str, Any]
) -> None:
    shop = _shop(memory_world, bank=bank)
    replies = _confirm_at_once(shop, _submit_more(shop, 5), 0.5)
    assert sorted(reply.status for reply in replies) == [200, 200, 503, 503, 503]
    refused = next(reply for reply in replies if reply.status == 503)
    assert (error(refused), refused.headers) == ("BANK_UNAVAILABLE", {"Retry-After": "1"})
    assert _counted(shop, policy, "refused") == 3
    assert len(_made(shop, "bank")) == 2
    assert shop.confirm().status == 200, "the places are free again"


# ── deadlines ───────────────────────────────────────────────────────────────────────────────────


def test_no_call_gets_more_time_than_is_left_of_the_request(memory_world: FakeWorld) -> None:
    shop = _shop(memory_world, request_deadline=4, bank={"timeout": 3, "query_after": 0.5})
    shop.gateways.script["bank", "open"].append("timeout_done")
    shop.gateways.script["bank", "query"].append("timeout")
    began = memory_world.now()
    assert shop.confirm().status == 202
    assert memory_world.now() - began <= 4
    bank = [(what, limit) for _, what, limit in memory_world.called if what.startswith("bank")]
    assert bank == [("bank open", 3), ("bank query", pytest.approx(0.5))]
    memory_world.advance(10)
    assert shop.state() == "VERIFIED", "the outbox has no deadline"


def test_request_that_waited_past_its_deadline_does_nothing(memory_world: FakeWorld) -> None:
    shop = _shop(memory_world, request_deadline=2)
    request = shop.request("confirm", {"otp": shop.gateways.code()}, key="k")
    request.arrived_at = memory_world.now() - 2.1
    refused = memory_world.run(shop.lender.handle(request))
    assert (refused.status, error(refused)) == (503, "OVERLOADED")
    assert refused.headers == {"Retry-After": "1"}
    assert not _made(shop, "bank")
    assert _counted(shop, "deadline", "refused", "lender") == 1
    assert shop.confirm(key="k").status == 200


def test_deadline_that_passes_in_line_for_a_connection_saves_the_call(
    memory_world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = _shop(memory_world, request_deadline=2)
    place = memory_world.limit

    @asynccontextmanager
    async def busy(name: str) -> AsyncIterator[None]:
        await memory_world.sleep(3)
        async with place(name):
            yield

    monkeypatch.setattr(memory_world, "limit", busy)
    refused = shop.confirm()
    assert (refused.status, error(refused)) == (503, "OVERLOADED")
    assert refused.body["state"] == "OTP_SENT"
    assert not _made(shop, "bank")
    late = shop.ask("resend")
    assert (late.status, error(late)) == (503, "OVERLOADED")


def test_retries_stop_at_the_deadline(memory_world: FakeWorld) -> None:
    shop = _shop(memory_world, request_deadline=1, bank={"attempts": 9, "backoff": 0.3})
    shop.gateways.script["bank", "open"].extend(DOWN)
    began = memory_world.now()
    assert error(shop.confirm()) == "BANK_UNAVAILABLE"
    assert memory_world.now() - began <= 1
    assert len(_made(shop, "bank")) == 3


def test_refund_behind_the_reply_has_no_deadline(memory_world: FakeWorld) -> None:
    shop = _shop(memory_world, request_deadline=0.5)
    assert shop.confirm().status == 200
    assert shop.authorise().status == 200
    assert shop.pay().status == 200
    memory_world.advance(1)
    limits = {what: limit for _, what, limit in memory_world.called}
    assert limits["payment charge"] == pytest.approx(0.5)
    assert limits["payment refund"] == 3.0


# ── hedging ─────────────────────────────────────────────────────────────────────────────────────


def test_hedged_query_takes_the_first_answer(memory_world: FakeWorld) -> None:
    shop = _shop(memory_world, bank={"hedge": {"delay": 0.2}, "query_after": 0})
    shop.gateways.script["bank", "open"].append("timeout_done")
    shop.gateways.script["bank", "query"].append("timeout")
    began = memory_world.now()
    assert shop.confirm().status == 200
    assert memory_world.now() - began < 3 + 0.5, "the open's timeout, and not the query's"
    assert _made(shop, "bank") == ["open", "query", "query"]
    assert _counted(shop, "hedge", "sent") == 1


def test_fast_answers_and_fast_failures_are_not_hedged(memory_world: FakeWorld) -> None:
    shop = _shop(memory_world, bank={"hedge": {"delay": 0.2}, "query_after": 0, "queries": 2})
    shop.gateways.script["bank", "open"].append("timeout_done")
    shop.gateways.script["bank", "query"].append("unreachable")
    assert shop.confirm().status == 200
    assert _made(shop, "bank") == ["open", "query", "query"], "the second one is a repetition"
    assert _counted(shop, "hedge", "sent") == 0


def test_hedged_charge_charges_once(memory_world: FakeWorld) -> None:
    shop = _shop(memory_world, payment={"hedge": {"ops": ["charge"], "delay": 0.3}})
    assert shop.confirm().status == 200
    assert shop.authorise().status == 200
    shop.gateways.script["payment", "charge"].append("timeout_done")
    assert shop.pay().status == 200
    memory_world.advance(10)
    assert len(_orders(shop, "payment", "charge")) == 1
    assert len(shop.gateways.made("payment", "charge")) == 2
    assert len(shop.gateways.charges) == len(shop.gateways.refunds) == 1


def test_hedges_take_from_the_retry_budget(memory_world: FakeWorld) -> None:
    budget = {"ratio": 0, "burst": 1}
    hedge = {"ops": ["charge"], "delay": 0.3}
    shop = _shop(memory_world, payment={"hedge": hedge, "retry_budget": budget, "queries": 0})
    assert shop.confirm().status == 200
    assert shop.authorise().status == 200
    shop.gateways.script["payment", "charge"].extend(["unreachable", "timeout", "timeout"])
    assert error(shop.pay()) == "PAYMENT_UNAVAILABLE"
    assert shop.pay().status == 202
    assert _counted(shop, "hedge", "sent", "payment") == 1
    memory_world.advance(60)
    assert shop.state() == "ACTIVE"
    assert _counted(shop, "hedge", "sent", "payment") == 1


# ── second carrier ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "outcome", ["unreachable", "timeout", answer(503), answer(Code="isv.OUT_OF_SERVICE")]
)
def test_second_carrier_sends_what_the_first_does_not(
    memory_world: FakeWorld, outcome: object
) -> None:
    shop = Shop(memory_world, policy=LenderPolicy.model_validate({"sms": {"fallback": True}}))
    shop.registered()
    shop.gateways.script["sms", "send"].extend([outcome] * 2)
    assert shop.submit().status == 201
    assert len(shop.gateways.made("sms", "send_backup")) == 1
    assert shop.confirm().status == 200
    assert _counted(shop, "sms_fallback", "sent", "sms_backup") == 1


def test_without_fallback_the_second_carrier_is_never_asked(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.registered()
    shop.gateways.script["sms", "send"].extend(DOWN)
    assert error(shop.submit()) == "SMS_UNAVAILABLE"
    assert not shop.gateways.made("sms", "send_backup")


def test_limit_of_a_number_holds_at_both_carriers(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world, policy=LenderPolicy.model_validate({"sms": {"fallback": True}}))
    shop.registered()
    limited = answer(Code="isv.BUSINESS_LIMIT_CONTROL")
    shop.gateways.script["sms", "send"].append(limited)
    assert error(shop.submit()) == "SMS_LIMIT"
    assert not shop.gateways.made("sms", "send_backup")


@pytest.mark.parametrize(
    ("report", "made"),
    [
        ("", ["send", "send_backup"]),
        ("UNDELIV", ["send", "send_backup"]),
        ("DELIVRD", ["send"] * 2),
    ],
)
def test_code_that_did_not_arrive_comes_by_the_second_carrier(
    memory_world: FakeWorld, report: str, made: list[str]
) -> None:
    shop = _shop(memory_world, sms={"fallback": True})
    if report:
        body = {"out_id": f"{shop.binding}-1", "status": report}
        assert memory_world.run(shop.lender.callback("sms_report", body))
    assert shop.ask("resend").status == 200
    assert _made(shop, "sms") == made
    assert shop.confirm().status == 200


def test_open_breaker_of_the_first_carrier_goes_straight_to_the_second(
    memory_world: FakeWorld,
) -> None:
    sms = {"fallback": True, "attempts": 1, "breaker": {"minimum_calls": 2, "open_for": 60}}
    shop = Shop(memory_world, policy=LenderPolicy.model_validate({"sms": sms}))
    shop.registered()
    shop.gateways.script["sms", "send"].extend(DOWN)
    for _ in range(5):
        assert shop.submit().status == 201
    assert len(shop.gateways.made("sms", "send")) == 2
    assert len(shop.gateways.made("sms", "send_backup")) == 5
    assert _counted(shop, "breaker", "opened", "sms") == 1
    assert _counted(shop, "breaker", "opened", "sms_backup") == 0


# ── accept now, verify later ────────────────────────────────────────────────────────────────────


def test_confirmation_is_accepted_while_the_bank_is_down(world: FakeWorld) -> None:
    shop = _shop(world, accept_later={"drain_rate": 2}, outbox_interval=1)
    shop.gateways.script["bank", "open"].extend(["unreachable", answer(503)])
    accepted = shop.confirm()
    assert (accepted.status, accepted.body) == (202, {"state": "VERIFYING"})
    assert shop.call("open").status == "ACCEPTED"
    assert shop.confirm().status == 202, "the same code again is the same request"
    world.advance(10)
    assert shop.state() == "VERIFIED"
    assert _made(shop, "bank") == ["open"] * 3, "it certainly did nothing, so nobody asks"
    assert len(_orders(shop, "bank", "open")) == 1
    assert shop.confirm().status == 200


def test_backlog_drains_at_its_rate_oldest_first(memory_world: FakeWorld) -> None:
    breaker = {"minimum_calls": 5, "open_for": 10, "probes": 1}
    shop = _shop(memory_world, accept_later={"drain_rate": 4}, bank={"breaker": breaker})
    shop.gateways.script["bank", "open"].extend(["unreachable"] * 5)
    more = _submit_more(shop, 30)
    assert {reply.status for reply in _confirm_at_once(shop, more, 0.5)} == {202}
    assert _counted(shop, "accept_later", "accepted") == 30
    down = len(_made(shop, "bank"))
    assert down == 5
    memory_world.advance(9)
    assert len(_made(shop, "bank")) == down, "an open breaker stops the drain too"
    memory_world.advance(14)
    states = [shop.ask("status", binding=binding).body["state"] for binding, _ in more]
    assert states == ["VERIFIED"] * 30
    at = [when for when, what, _ in memory_world.called if what == "bank open"][down:]
    assert len(at) == 30
    assert all(b - a >= 0.25 - 1e-9 for a, b in pairwise(at))


def test_accepted_confirmation_survives_the_node(memory_world: FakeWorld) -> None:
    policy = {"accept_later": {"drain_rate": 10}, "outbox_interval": 1}
    shop = _shop(memory_world, **policy)
    shop.gateways.script["bank", "open"].append("unreachable")
    assert shop.confirm().status == 202
    reborn = memory_world.after_death()
    again = Shop(reborn, policy=shop.policy, vault=shop.vault)
    again.binding = shop.binding
    reborn.run(again.lender.recover())
    reborn.advance(5)
    assert again.state() == "VERIFIED"


def test_accepted_confirmation_can_still_be_declined_superseded_or_given_up(
    memory_world: FakeWorld,
) -> None:
    later = {"accept_later": {"drain_rate": 1}, "outbox_interval": 1, "give_up_after": 20}
    shop = _shop(memory_world, **later)
    shop.gateways.script["bank", "open"].extend(["unreachable", answer(respCode="66")])
    assert shop.confirm().status == 202
    memory_world.advance(5)
    declined = shop.confirm()
    assert declined.body["error"]["reason"] == "identity_mismatch"
    assert shop.submit().status == 201
    shop.gateways.script["bank", "open"].append("unreachable")
    assert shop.confirm().status == 202
    asked = len(_made(shop, "bank"))
    assert shop.submit().status == 201
    memory_world.advance(5)
    assert len(_made(shop, "bank")) == asked, "nobody wants this one any more"
    shop.gateways.script["bank", "open"].extend(DOWN)
    assert shop.confirm().status == 202
    memory_world.advance(40)
    assert shop.state() == "FAILED"
    assert shop.ask("status").body["reason"] == "bank_unknown"


# ── load shedding ───────────────────────────────────────────────────────────────────────────────


def test_shed_requests_are_told_to_come_back(memory_world: FakeWorld) -> None:
    shop = _shop(memory_world, max_queue=1)
    front = shop.lender.front(workers=2)
    assert [front.enter() for _ in range(4)] == [True, True, True, False]
    reply = shop.lender.shed()
    assert (reply.status, error(reply), reply.headers) == (503, "OVERLOADED", {"Retry-After": "1"})
    assert _counted(shop, "front_queue", "shed", "lender") == 1
