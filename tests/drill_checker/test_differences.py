"""Every kind of difference between lender, bank and payment gateway, and its mend."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from loadtests.reconcile import PASSES
from reports.drills.books import (
    AgreementRow,
    BindingRow,
    Books,
    CallRow,
    Movement,
    PartnerAnswer,
    masked,
)
from reports.drills.differences import Difference, differences
from reports.drills.money_check import money
from reports.drills.reconciliation import Reconciliation, compare
from scenarios.contract import State

NOW, SINCE = 100_000.0, 50_000.0
B = "bnd_0"


def binding(state: str = "ACTIVE", binding_id: str = B, **more: Any) -> BindingRow:
    more = {"agreement_no": "A", "created_at": 60_000.0, "updated_at": 60_010.0, **more}
    return BindingRow(binding_id=binding_id, state=State(state), card=f"card-{binding_id}", **more)


def call(op: str, result: str = "done", binding_id: str = B, **more: Any) -> CallRow:
    status = "DONE" if result else "UNKNOWN"
    return CallRow(
        **{
            "order_no": f"{binding_id}-{op}",
            "binding_id": binding_id,
            "op": op,
            "status": status,
            "result": result,
            "created_at": 60_000.0,
            **more,
        }
    )


def signed(agreement_no: str = "A", binding_id: str = B, time: float = 60_001.0) -> AgreementRow:
    number = f"{binding_id}-open"
    return AgreementRow(agreement_no=agreement_no, order_no=number, kind="signed", time=time)


def moved(kind: str, amount_fen: int = 1, binding_id: str = B) -> Movement:
    return msgspec.convert(
        {
            "order_no": f"{binding_id}-{kind}",
            "kind": kind,
            "amount_fen": amount_fen,
            "time": 60_002.0,
        },
        Movement,
    )


def books(
    rows: tuple[BindingRow, ...] = (),
    calls: tuple[CallRow, ...] = (),
    agreements: tuple[AgreementRow, ...] = (),
    movements: tuple[Movement, ...] = (),
    **answers: PartnerAnswer,
) -> Books:
    return Books(
        bindings={row.binding_id: row for row in rows},
        calls={row.order_no: row for row in calls},
        agreements=agreements,
        movements=movements,
        answers={f"{B}-{op}": answer for op, answer in answers.items()},
        now=NOW,
        since=SINCE,
    )


def found(of: Books) -> list[tuple[str, str, str]]:
    return [(one.kind, one.repair, one.to) for one in differences(of)[0]]


BOTH = (moved("charge"), moved("refund"))
RECORDED = (call("open"), call("charge"), call("refund"))


def said(outcome: str, **more: Any) -> PartnerAnswer:
    return msgspec.convert({"outcome": outcome, **more}, PartnerAnswer)


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        # All agree.
        (books((binding(),), RECORDED, (signed(),), BOTH), []),
        (books((binding("OTP_SENT", agreement_no=""),)), []),
        (books((binding("VERIFIED"),), (call("open"),), (signed(),)), []),
        (books((binding("REJECTED", agreement_no=""),), (call("open", "declined"),)), []),
        # The bank's side.
        (
            books((), (), (signed(),)),
            [("agreement_without_binding", "terminate", "")],
        ),
        (
            books((binding("EXPIRED"),), (call("open"),), (signed(),)),
            [("agreement_of_ended_binding", "terminate", "")],
        ),
        (
            books((binding("OTP_SENT", agreement_no=""),), (), (signed(),)),
            [("state_behind_bank", "set_state", "VERIFIED")],
        ),
        (
            books((binding(),), RECORDED, (), BOTH),
            [("binding_without_agreement", "person", "")],
        ),
        (
            books((binding(),), RECORDED, (signed("other"),), BOTH),
            [("agreement_differs", "person", "")],
        ),
        (
            books((binding(readable=False),), RECORDED, (signed(),), BOTH),
            [("unreadable_binding", "person", "")],
        ),
        # Older than the files reach.
        (books((binding(created_at=1.0),), (call("charge", created_at=1.0),)), []),
        # Two lost bindings of one card have one agreement to end.
        (
            books((), (), (signed(), signed(binding_id="bnd_1", time=60_005.0))),
            [("agreement_without_binding", "terminate", "")],
        ),
        # One card was bound anew: its agreement is needed.
        (
            books(
                (binding("EXPIRED"), binding("ACTIVE", "bnd_1")),
                (call("charge", binding_id="bnd_1"), call("refund", binding_id="bnd_1")),
                (signed(), signed(binding_id="bnd_1")),
                (moved("charge", 1, "bnd_1"), moved("refund", 1, "bnd_1")),
            ),
            [],
        ),
        # Orders in doubt.
        (
            books((binding("VERIFYING", agreement_no=""),), open=said("nothing")),
            [("stuck_verifying", "set_state", "OTP_SENT")],
        ),
        (
            books((binding("VERIFYING", agreement_no=""),), open=said("declined")),
            [("stuck_verifying", "set_state", "REJECTED")],
        ),
        (
            books((binding("VERIFYING"),), open=said("done", agreement_no="A")),
            [("stuck_verifying", "set_state", "VERIFIED")],
        ),
        (
            books((binding("VERIFYING"),), open=said("unknown")),
            [("stuck_verifying", "person", "")],
        ),
        (
            books((binding("PAYING"),), (), (signed(),), charge=said("declined")),
            [("stuck_paying", "set_state", "FAILED")],
        ),
        (
            books((binding("PAYING"),), (), (signed(),), charge=said("nothing")),
            [("stuck_paying", "set_state", "AUTHORISED")],
        ),
        (
            books((binding("PAYING"),), (), (signed(),), charge=said("done")),
            [("stuck_paying", "person", "")],
        ),
        # The payment gateway's side.
        (
            books((binding("PAYING"),), (call("charge", ""),), (signed(),), BOTH),
            [
                ("state_behind_payment", "set_state", "ACTIVE"),
                ("refund_without_record", "enter", ""),
            ],
        ),
        (
            books((binding("VERIFIED"),), (call("open"),), (signed(),), (moved("charge"),)),
            [("charge_without_record", "enter", ""), ("charge_without_refund", "refund", "")],
        ),
        (
            books((binding(),), RECORDED, (signed(),), (moved("charge"),)),
            [("charge_without_refund", "refund", "")],
        ),
        (
            books((binding(),), (call("charge"),), (signed(),), BOTH),
            [("refund_without_record", "enter", "")],
        ),
        (
            books((), (), (), BOTH),
            [("charge_without_record", "enter", ""), ("refund_without_record", "enter", "")],
        ),
        (
            books((binding(),), RECORDED, (signed(),), (*BOTH, moved("refund"))),
            [("refunded_too_much", "person", "")],
        ),
        (
            books((binding(),), RECORDED, (signed(),), (*BOTH, moved("charge"))),
            [("charged_twice", "person", "")],
        ),
        (
            books((binding(),), RECORDED, (signed(),), (moved("charge", 5), moved("refund", 5))),
            [("amount_differs", "person", "")],
        ),
        (
            books((binding(),), RECORDED, (signed(),)),
            [("record_without_charge", "person", ""), ("record_without_refund", "person", "")],
        ),
        (
            books((), (call("refund"),)),
            [("record_without_refund", "person", "")],
        ),
        (
            books((binding(),), (call("open"),), (signed(),)),
            [("active_without_charge", "person", "")],
        ),
    ],
)
def test_a_difference_and_its_mend(of: Books, expected: list[tuple[str, str, str]]) -> None:
    assert found(of) == expected


@pytest.mark.parametrize(
    ("owned", "busy"),
    [
        ({"due_at": NOW + 60}, True),
        ({"due_at": NOW - 1}, True),
        ({"due_at": NOW - 600}, False),
        ({"due_at": None}, False),
        ({"due_at": None, "waits": True}, True),
    ],
)
def test_what_the_outbox_still_has_is_left_alone(owned: dict[str, Any], busy: bool) -> None:
    of = books((binding("VERIFYING"),), (call("open", "", **owned),), (signed(),))
    assert found(of) == ([] if busy else [("state_behind_bank", "set_state", "VERIFIED")])
    assert differences(of)[1] == ({B} if busy else set())


def test_what_was_written_while_reading_is_left_alone() -> None:
    of = books((binding("VERIFYING", updated_at=NOW + 0.1),), open=said("nothing"))
    assert differences(of) == ([], {B})


def test_an_agreement_of_a_card_that_is_just_being_bound_stays() -> None:
    ended, fresh = binding("EXPIRED"), binding("OTP_SENT", "bnd_1", agreement_no="")
    fresh = replace(fresh, card=ended.card)
    assert found(books((ended, fresh), (), (signed(),))) == []


def test_money_is_summed_on_both_sides_without_what_is_under_way() -> None:
    of = books(
        (binding(), binding("PAYING", "bnd_1")),
        (*RECORDED, call("charge", "", "bnd_1", due_at=NOW + 60)),
        (signed(), signed("C", "bnd_1")),
        (*BOTH, moved("charge", 1, "bnd_1")),
    )
    sums = money(of, {"bnd_1"})
    assert (sums.charged_fen, sums.refunded_fen, sums.net_fen) == (1, 1, 0)
    assert sums.conserved
    assert not money(of, set()).conserved
    astray = replace(of, movements=(*BOTH, moved("charge", 7, "bnd_2")))
    assert (money(astray, set()).net_fen, money(astray, set()).recorded_net_fen) == (7, 0)
    # As many refunds as charges are missing: the balance alone would not show it.
    assert not money(books((), RECORDED), set()).conserved


kinds = st.sampled_from(("charge", "refund"))
states = st.sampled_from(list(State))


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    st.lists(states, max_size=5),
    st.lists(st.tuples(st.integers(0, 4), kinds), max_size=4),
    st.sets(st.integers(0, 4)),
    st.lists(st.tuples(st.integers(0, 4), kinds), max_size=4),
)
def test_sound_money_and_no_difference_go_together(
    rows: list[State],
    movements: list[tuple[int, str]],
    agreements: set[int],
    records: list[tuple[int, str]],
) -> None:
    of = books(
        tuple(binding(state, f"bnd_{n}", agreement_no=f"A{n}") for n, state in enumerate(rows)),
        tuple(call(op, binding_id=f"bnd_{n}") for n, op in records),
        tuple(signed(f"A{n}", f"bnd_{n}") for n in agreements),
        tuple(moved(kind, 1, f"bnd_{n}") for n, kind in movements),
    )
    comparison, todo = compare(of, "")
    assert comparison.money.conserved or any(_about_money(one) for one in todo)
    touched = {one.binding_id for one in todo if one.repair == "refund"}
    for binding_id in touched:
        charges = [m for m in of.movements if m.order_no == f"{binding_id}-charge"]
        refunds = [m for m in of.movements if m.order_no == f"{binding_id}-refund"]
        assert (len(charges), len(refunds)) == (1, 0), "nothing is given back twice"

    for _ in range(PASSES):
        of = repaired(of)
    left = compare(of, "")[1]
    assert [one for one in left if one.repair != "person"] == []
    if not left:
        assert money(of, set()).conserved
        assert money(of, set()).net_fen == 0


def repaired(of: Books) -> Books:
    """What the books are after every repair was carried out."""
    rows, calls = dict(of.bindings), dict(of.calls)
    agreements, movements = list(of.agreements), list(of.movements)
    for one in differences(of)[0]:
        if one.repair == "terminate":
            agreements.append(
                replace(signed(one.agreement_no), kind="terminated", time=len(agreements) + 70_000)
            )
        elif one.repair == "refund":
            movements.append(moved("refund", one.amount_fen, one.binding_id))
        elif one.repair == "set_state":
            rows[one.binding_id] = replace(
                rows[one.binding_id], state=State(one.to), agreement_no=one.agreement_no
            )
        if one.repair != "person" and one.op:
            calls[f"{one.binding_id}-{one.op}"] = call(
                one.op, one.result or "done", one.binding_id, created_at=NOW
            )
    return replace(
        of, bindings=rows, calls=calls, agreements=tuple(agreements), movements=tuple(movements)
    )


def _about_money(one: Difference) -> bool:
    return "charge" in one.kind or "refund" in one.kind or "payment" in one.kind


def test_nothing_in_a_reconciliation_tells_an_identifier_in_full() -> None:
    whole = "bnd_0123456789abcdef0123456789abcdef"
    of = books((), (), (signed("12345678901234567800", whole),), (moved("charge", 1, whole),))
    comparison, _ = compare(of, "2026-01-01T00:00:00.000Z")
    told = msgspec.json.encode(Reconciliation(before=comparison, repairs=(), after=comparison))
    assert masked(whole).encode() in told
    assert whole[4:20].encode() not in told
    assert b"1234567890" not in told
