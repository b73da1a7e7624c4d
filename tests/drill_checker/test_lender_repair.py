"""Repairs of the lender's records: only what is still as it was found, and always audited."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from mocks.lender.audit import AuditLog, verify_chain
from mocks.lender.memory_store import MemoryStore
from mocks.lender.records import AuditEntry, Binding, PartnerCall
from mocks.lender.repair import NODE, enter, set_state
from scenarios.contract import State

NOW = 1000.0
B = "bnd_0"


def binding(state: State) -> Binding:
    return Binding(
        binding_id=B,
        applicant_id="app_0",
        state=state,
        card_number=b"",
        card_index="",
        card_shown="",
        holder=b"",
        id_number=b"",
        phone=b"",
        created_at=1.0,
        updated_at=1.0,
        expires_at=5000.0,
    )


def call(op: str, **more: Any) -> PartnerCall:
    call = PartnerCall(
        call_id=f"{B}-{op}",
        binding_id=B,
        gateway="bank",
        op=op,
        status="UNKNOWN",
        node="lender-1",
        created_at=1.0,
        updated_at=1.0,
        due_at=None,
    )
    return replace(call, **more)


class Books:
    def __init__(self, *records: Any) -> None:
        self.store = MemoryStore()
        self.audit = AuditLog(NODE)
        for record in records:
            self.store.transact(lambda tx, record=record: tx.add(record))

    def set_state(self, found: State, to: State, op: str, result: str, **more: Any) -> bool:
        return self.store.transact(
            lambda tx: set_state(
                tx, self.audit, NOW, B, found=found, to=to, op=op, result=result, **more
            )
        )

    def enter(self, op: str) -> bool:
        return self.store.transact(lambda tx: enter(tx, self.audit, NOW, B, op, 1))

    def get(self, kind: type[Any], key: str) -> Any:
        return self.store.transact(lambda tx: tx.get(kind, key))

    def actions(self) -> list[tuple[str, str]]:
        entries = list(self.store.records(AuditEntry))
        assert verify_chain(entries) is None
        assert {entry.node for entry in entries} <= {NODE}
        return [(entry.action, entry.subject) for entry in entries]


def test_a_state_follows_the_partners_answer_and_its_call_is_finished() -> None:
    books = Books(binding(State.VERIFYING), call("open"))
    assert books.set_state(State.VERIFYING, State.VERIFIED, "open", "done", agreement_no="A")
    moved, open_call = books.get(Binding, B), books.get(PartnerCall, f"{B}-open")
    assert (moved.state, moved.agreement_no, moved.updated_at) == ("VERIFIED", "A", NOW)
    assert moved.expires_at == 5000.0, "it is not finished"
    assert (open_call.status, open_call.result, open_call.due_at) == ("DONE", "done", None)
    assert books.actions() == [("verified", B)]
    # Again it finds another state, and does nothing.
    assert not books.set_state(State.VERIFYING, State.VERIFIED, "open", "done", agreement_no="A")
    assert books.actions() == [("verified", B)]


def test_a_payment_that_succeeded_makes_the_binding_active() -> None:
    books = Books(binding(State.AUTHORISED))
    assert books.set_state(State.AUTHORISED, State.ACTIVE, "charge", "done")
    assert books.get(Binding, B).expires_at is None
    assert books.get(PartnerCall, f"{B}-charge").gateway == "payment"
    assert books.actions() == [("charged", B), ("active", B)]
    assert not books.enter("charge"), "it is on record already"


@pytest.mark.parametrize(
    "held",
    [
        {"due_at": NOW + 1},
        {"status": "PENDING", "due_at": NOW + 1},
        {"status": "ACCEPTED", "drain_at": 1.0},
    ],
)
def test_what_the_outbox_has_is_left_to_it(held: dict[str, Any]) -> None:
    before = binding(State.PAYING)
    books = Books(before, call("charge", **held))
    assert not books.set_state(State.PAYING, State.AUTHORISED, "charge", "not_processed")
    assert not books.enter("charge")
    assert books.get(Binding, B) == before
    assert books.actions() == []


def test_movements_of_a_lost_binding_are_entered_once() -> None:
    books = Books()
    assert books.enter("charge")
    assert books.enter("refund")
    assert not books.enter("refund")
    assert books.get(PartnerCall, f"{B}-refund").finished_at == NOW
    assert books.actions() == [("charged", B), ("refunded", B)]


def test_a_missing_binding_is_not_made_up() -> None:
    books = Books()
    assert not books.set_state(State.AUTHORISED, State.ACTIVE, "charge", "done")
    assert books.get(Binding, B) is None
