"""Agreements at the bank: the daily file, and termination."""

from __future__ import annotations

from typing import Any

import pytest

from mocks.bank.agreements import AgreementBook, AgreementRow, agreement_csv
from mocks.bank.model import BankGateway
from mocks.daily_log import HOUR, KEPT_HOURS
from mocks.messages import Call, Reply
from scenarios.population.cards import card_ranges, luhn_digit
from scenarios.world import BankWorld

CARD = "6216261000000000018"
ELEMENTS = {"holder": "全渠道", "id_number": "341126197709218366", "phone": "13552535506"}


class Bank:
    def __init__(self, keeps: bool = True, **world: Any) -> None:
        defaults = {"decline": {}, "unknown": 0, "latency": {"open": "0s", "query": "0s"}}
        self.gateway = BankGateway(BankWorld.model_validate({**defaults, **world}), 1)
        if keeps:
            self.gateway.keep_agreements()

    def call(self, op: str, now: float, **payload: Any) -> Reply:
        return self.gateway.handle(Call(op, payload), now)[0]

    def open(self, order_no: str, now: float, card: str = CARD) -> Reply:
        return self.call("open", now, order_no=order_no, card_number=card, **ELEMENTS)

    def file(self, end: float = 1e9) -> list[tuple[str, str]]:
        rows = self.gateway.agreements("default", 0.0, end)
        return [(row.order_no, row.kind) for row in rows]


def _strangers_card(nth: int) -> str:
    known = next(iter(card_ranges().values()))
    payload = f"{known.bin}{nth:0{known.account_digits}d}"
    return payload + luhn_digit(payload)


def test_openings_are_in_the_file_and_verifications_are_not() -> None:
    bank = Bank()
    agreement_no = bank.open("b1-open", 10.0).body["agreement_no"]
    bank.call("verify", 11.0, order_no="v1", card_number=CARD, **ELEMENTS)
    bank.open("b2-open", 12.0, card="6216261000000000017")  # a wrong check digit is declined
    rows = bank.gateway.agreements("default", 0.0, 100.0)
    assert rows == [AgreementRow(agreement_no, "b1-open", "signed", 10.0)]
    assert bank.gateway.agreements("default", 10.5, 100.0) == []
    assert bank.gateway.agreements("elsewhere", 0.0, 100.0) == []


def test_an_opening_of_unknown_outcome_is_signed_once_it_settles() -> None:
    bank = Bank(unknown=1)
    for nth in range(8):
        bank.open(f"b{nth}-open", 0.0, card=_strangers_card(nth))
    signed = {
        f"b{nth}-open"
        for nth in range(8)
        if "agreement_no" in bank.call("query", 1000.0, order_no=f"b{nth}-open").body
    }
    assert 0 < len(signed) < 8
    assert bank.file(end=0.001) == []
    assert {order_no for order_no, _ in bank.file()} == signed


def test_terminating_works_once_and_a_card_can_be_signed_again() -> None:
    bank = Bank()
    agreement_no = bank.open("b1-open", 10.0).body["agreement_no"]

    def terminate(order_no: str, now: float, number: str = agreement_no) -> str:
        return bank.call("terminate", now, order_no=order_no, agreement_no=number).code

    assert terminate("b1-terminate", 20.0) == "00"
    assert terminate("b1-terminate", 21.0) == "12", "an order number works once"
    assert terminate("again", 22.0) == "40", "it is not in force any more"
    assert terminate("unknown", 23.0, "0" * 20) == "40"
    query = bank.call("query", 24.0, order_no="b1-terminate").body
    assert (query["respCode"], query["origRespCode"]) == ("00", "00")
    assert "agreement_no" not in query
    assert bank.call("query", 25.0, order_no="again").body["respCode"] == "34"
    assert bank.open("b2-open", 30.0).body["agreement_no"] == agreement_no
    assert bank.file() == [
        ("b1-open", "signed"),
        ("b1-terminate", "terminated"),
        ("b2-open", "signed"),
    ]
    payload = {"order_no": "b1-again", "agreement_no": agreement_no}
    stale = bank.call("terminate", 35.0, **payload, original_order_no="b1-open")
    assert stale.code == "40", "b2 has signed it since"
    assert bank.call("terminate", 36.0, **payload, original_order_no="b2-open").code == "00"


@pytest.mark.parametrize(
    ("payload", "code", "field"),
    [
        ({"order_no": "t-1"}, "13", "agreement_no"),
        ({"agreement_no": "1"}, "13", "order_no"),
        ({"order_no": "t" * 65, "agreement_no": "1"}, "10", "order_no"),
        ({"order_no": "t-1", "agreement_no": 7}, "10", "agreement_no"),
    ],
)
def test_a_malformed_termination_is_refused(payload: dict[str, Any], code: str, field: str) -> None:
    reply = Bank().call("terminate", 1.0, **payload)
    assert (reply.status, reply.code, reply.body["field"]) == (400, code, field)


def test_a_simulation_keeps_no_agreements() -> None:
    bank = Bank(keeps=False)
    assert bank.open("b1-open", 10.0).body["agreement_no"]
    assert bank.file() == []


def test_old_agreements_leave_the_book() -> None:
    book = AgreementBook()
    for hour in range(KEPT_HOURS + 10):
        book.sign(f"{hour:020d}", f"b{hour}-open", hour * HOUR)
    assert len(book.between(0.0, 1e9)) == KEPT_HOURS


def test_the_file_ends_with_its_totals() -> None:
    rows = [
        AgreementRow("1" * 20, "b1-open", "signed", 1.5),
        AgreementRow("1" * 20, "b1-terminate", "terminated", 2.5),
    ]
    assert agreement_csv(rows).splitlines() == [
        "agreement_no,order_no,kind,time",
        f"{'1' * 20},b1-open,signed,1.5",
        f"{'1' * 20},b1-terminate,terminated,2.5",
        "TOTAL,,signed 1 terminated 1,",
    ]
