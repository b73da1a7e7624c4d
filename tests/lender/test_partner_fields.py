"""What partners say that does not fit: nothing is believed, nothing breaks, nothing is stuck."""

from __future__ import annotations

from typing import Any

import pytest
from lender_world import AGREEMENT, FakeWorld, Shop, answer

from mocks.lender.partner_answers import MEANINGS, Outcome
from mocks.lender.partner_fields import read_callback
from mocks.world import GatewayAnswer
from scenarios.policy import LenderPolicy

NO_TEXT: tuple[Any, ...] = (None, [], ["x"], {}, {"a": 1}, True, 0, 10**30, 1.5, float("inf"))
UNFIT: tuple[Any, ...] = (
    *NO_TEXT,
    "",
    "a\x00b",
    "1\n",
    "x" * 65,
    "x" * 3_000_000,
    "<html>",
    "签约",
)


@pytest.mark.parametrize("agreement_no", UNFIT)
def test_an_agreement_number_that_is_none_leaves_the_outcome_open(agreement_no: Any) -> None:
    opened = answer(respCode="00", agreement_no=agreement_no)
    asked = answer(respCode="00", origRespCode="00", agreement_no=agreement_no)
    assert MEANINGS["bank", "open"](opened).outcome == Outcome.UNKNOWN
    assert MEANINGS["bank", "query"](asked).outcome == Outcome.UNKNOWN


@pytest.mark.parametrize("value", [value for value in UNFIT if value != ""])
@pytest.mark.parametrize("meaning", MEANINGS)
def test_no_field_of_any_answer_is_believed_or_raises(meaning: tuple[str, str], value: Any) -> None:
    right = {
        "respCode": "00",
        "origRespCode": "00",
        "agreement_no": AGREEMENT,
        "code": "OK",
        "trade_state": "SUCCESS",
        "reason": "",
        "amount_fen": 1,
    }
    used = ("respCode", "agreement_no") if meaning[0] == "bank" else ("trade_state", "reason")
    assert MEANINGS[meaning](answer(**right)).outcome == Outcome.DONE
    for field in used:
        if value is None and field == "reason":
            continue
        assert MEANINGS[meaning](answer(**{**right, field: value})).outcome == Outcome.UNKNOWN


@pytest.mark.parametrize("amount", [0, 2, -1, 1.5, True, "1", 10**30, []])
def test_a_success_over_another_amount_is_not_ours(amount: Any) -> None:
    told = answer(code="OK", trade_state="SUCCESS", amount_fen=amount)
    for op in ("charge", "refund", "query"):
        assert MEANINGS["payment", op](told).outcome == Outcome.UNKNOWN


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_is_nobodys_answer(status: int) -> None:
    bank = answer(status, respCode="00", agreement_no=AGREEMENT)
    payment = answer(status, code="OK", trade_state="SUCCESS")
    assert MEANINGS["bank", "open"](bank).outcome == Outcome.UNKNOWN
    assert MEANINGS["payment", "charge"](payment).outcome == Outcome.UNKNOWN


@pytest.mark.parametrize("agreement_no", [["1"], 5, "a\x00b", "x" * 65])
def test_a_binding_whose_bank_talks_nonsense_fails_in_time(
    world: FakeWorld, agreement_no: Any
) -> None:
    shop = Shop(world, policy=LenderPolicy.model_validate({"give_up_after": "60s"}))
    shop.submitted()

    def nonsense(reply: GatewayAnswer) -> GatewayAnswer:
        return GatewayAnswer(200, {**reply.body, "agreement_no": agreement_no})

    for op in ("open", "query"):
        shop.gateways.script["bank", op].extend([nonsense] * 100)
    confirmed = shop.confirm()
    assert (confirmed.status, confirmed.body["state"]) == (202, "VERIFYING")
    world.advance(300)
    assert (shop.state(), shop.stored().reason) == ("FAILED", "bank_unknown")


@pytest.mark.parametrize("code", [value for value in UNFIT if value])
def test_a_message_is_sent_only_when_the_gateway_says_so(
    memory_world: FakeWorld, code: Any
) -> None:
    shop = Shop(memory_world)
    shop.registered()
    shop.gateways.script["sms", "send"].extend([answer(Code=code)] * 5)
    assert shop.submit().body["error"]["code"] == "SMS_REFUSED"


REPORT = {"out_id": "bnd_1-1", "status": "DELIVRD"}
NOTICE = {"order_no": "bnd_1-charge", "trade_state": "SUCCESS", "amount_fen": 1}
BAD_REPORTS = [
    *({**REPORT, "out_id": f"bnd_1-{number}"} for number in ("²", "٣", "1" * 5000, "999999")),
    *({**REPORT, "out_id": f"bnd_1-{number}"} for number in ("0", "1.0", "1\n", "", "1\x00")),
    *({**REPORT, "out_id": value} for value in UNFIT),
    *({**REPORT, "status": value} for value in UNFIT),
    {"out_id": "bnd_1-1"},
    {},
]
BAD_NOTICES = [
    {"order_no": "bnd_1-charge", "trade_state": "SUCCESS"},
    *({**NOTICE, "amount_fen": value} for value in (*NO_TEXT, "1", -1, 2, 1.0, False)),
    *({**NOTICE, "order_no": value} for value in UNFIT),
    *({**NOTICE, "trade_state": value} for value in (*UNFIT, "success", "REFUND")),
    *({**NOTICE, "reason": value} for value in UNFIT if value != ""),
    {**NOTICE, "currency": "USD"},
    {},
]


def test_callbacks_that_fit_are_read() -> None:
    assert read_callback("sms_report", REPORT)
    assert read_callback("payment_notify", {**NOTICE, "attempt": 1, "reason": "", "trade_no": "1"})
    assert read_callback("something", REPORT) is None


@pytest.mark.parametrize("body", BAD_REPORTS)
def test_reports_that_do_not_fit_change_nothing(memory_world: FakeWorld, body: Any) -> None:
    assert read_callback("sms_report", body) is None
    shop = Shop(memory_world)
    shop.submitted()
    before = shop.stored()
    assert not memory_world.run(shop.lender.callback("sms_report", body))
    assert shop.stored() == before


@pytest.mark.parametrize("body", BAD_NOTICES)
def test_notices_that_do_not_fit_change_nothing(body: Any) -> None:
    assert read_callback("payment_notify", body) is None


def test_a_report_about_a_message_that_was_never_sent_is_not_acknowledged(
    memory_world: FakeWorld,
) -> None:
    shop = Shop(memory_world)
    shop.submitted()
    before = shop.stored()

    def report(number: int) -> bool:
        body = {"out_id": f"{shop.binding}-{number}", "status": "DELIVRD"}
        return bool(memory_world.run(shop.lender.callback("sms_report", body)))

    assert not report(3)
    assert shop.stored() == before
    assert report(1)
    assert report(2)  # its answer may still be on the way
