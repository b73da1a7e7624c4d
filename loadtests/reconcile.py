"""Reconciles lender, bank and payment gateway: compares, repairs what is safe, compares again.

Repairs go through the partners' own operations and the lender's store, each with an audit entry,
and can be repeated: an order number works once at a partner, and the lender's records change only
where they still are as they were found.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from loadtests.reading import ReconcileProblem, opened, post, read_books
from mocks.bank.model import NOT_BOUND
from mocks.lender import repair as records
from mocks.lender.audit import AuditLog
from mocks.lender.partner_answers import BANK_APPROVED
from mocks.lender.partner_fields import BankReply, PaymentReply, read_reply
from mocks.lender.sql_store import SqlStore
from mocks.lender.store import Tx
from reports.drills.books import CHARGE, REFUND, TERMINATE, order_no
from reports.drills.differences import Difference
from reports.drills.reconciliation import (
    Comparison,
    Reconciliation,
    Repaired,
    compare,
    shown,
)
from scenarios.contract import State

PASSES = 3
"""Rounds of repairs: one may lay open another, such as the agreement of a binding that failed."""

_Outcome = tuple[Literal["done", "skipped", "failed"], str]
_MOVED_ON: _Outcome = ("skipped", "it had moved on meanwhile")


def reconcile(
    database: str, key_ring: Path | None, bank_url: str, payment_url: str, repair: bool
) -> Reconciliation:
    """Compare the lender's `database` (URL) with the partners' files of the last two days, repair
    with `repair`, and compare again.

    `key_ring` is the lender's key file, to see whether its records still open; None: not looked at.
    Bindings that the lender is working on are left alone. Raises ReconcileProblem when a partner
    cannot be read, StoreUnavailable when the database cannot.
    """
    sides = _Sides(key_ring, bank_url.rstrip("/"), payment_url.rstrip("/"))
    with opened(database) as store:
        before, found = sides.compare(store)
        after, repairs = before, []
        for _ in range(PASSES if repair else 0):
            todo = [each for each in found if each.repair != "person"]
            if not todo:
                break
            made = [sides.repair(store, each) for each in todo]
            repairs += made
            after, found = sides.compare(store)
            if not any(each.outcome == "done" for each in made):
                break
    return Reconciliation(before=before, repairs=tuple(repairs), after=after)


class _Sides:
    """The partners, and who writes the lender's audit entries."""

    def __init__(self, key_ring: Path | None, bank_url: str, payment_url: str) -> None:
        self._key_ring = key_ring
        self._bank = bank_url
        self._payment = payment_url
        self._audit = AuditLog(records.NODE)
        self._repairs: dict[str, Callable[[SqlStore, Difference], _Outcome]] = {
            "terminate": self._terminate,
            "refund": self._refund,
            "enter": self._enter,
            "set_state": self._set_state,
        }

    def compare(self, store: SqlStore) -> tuple[Comparison, list[Difference]]:
        """All sides now."""
        now = time.time()
        books = read_books(store, self._key_ring, self._bank, self._payment, now)
        utc = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
        return compare(books, utc.replace("+00:00", "Z"))

    def repair(self, store: SqlStore, difference: Difference) -> Repaired:
        """Carry out what is proposed. Raises StoreUnavailable."""
        try:
            outcome, note = self._repairs[difference.repair](store, difference)
        except ReconcileProblem as problem:
            outcome, note = "failed", str(problem)
        return Repaired(finding=shown(difference), outcome=outcome, note=note)

    def _terminate(self, store: SqlStore, difference: Difference) -> _Outcome:
        binding_id = difference.binding_id
        body = {
            "order_no": order_no(binding_id, TERMINATE),
            "agreement_no": difference.agreement_no,
            # A customer who binds the card at this moment keeps the agreement.
            "original_order_no": difference.order_no,
        }
        code = read_reply(post(f"{self._bank}/v1/terminate", body), BankReply).respCode
        if code == NOT_BOUND:
            return "skipped", "ended already, or signed anew"
        if code not in BANK_APPROVED:
            return "failed", f"the bank answers {code or 'nothing that it knows'}"
        self._write(
            store,
            lambda tx, now: records.note(tx, self._audit, now, binding_id, "terminated"),
        )
        return "done", ""

    def _refund(self, store: SqlStore, difference: Difference) -> _Outcome:
        binding_id, amount = difference.binding_id, difference.amount_fen
        body = {
            "order_no": order_no(binding_id, REFUND),
            "original_order_no": order_no(binding_id, CHARGE),
            "amount_fen": amount,
        }
        answer = read_reply(post(f"{self._payment}/v1/refund", body), PaymentReply)
        if answer.trade_state != "SUCCESS":
            return "failed", f"the payment gateway answers {answer.code or 'nothing that it knows'}"
        self._write(
            store,
            lambda tx, now: records.enter(tx, self._audit, now, binding_id, REFUND, amount),
        )
        return "done", ""

    def _enter(self, store: SqlStore, difference: Difference) -> _Outcome:
        entered = self._write(
            store,
            lambda tx, now: records.enter(
                *(tx, self._audit, now, difference.binding_id, difference.op),
                difference.amount_fen,
            ),
        )
        return ("done", "") if entered else _MOVED_ON

    def _set_state(self, store: SqlStore, difference: Difference) -> _Outcome:
        moved = self._write(
            store,
            lambda tx, now: records.set_state(
                *(tx, self._audit, now, difference.binding_id),
                found=State(difference.found),
                to=State(difference.to),
                op=difference.op,
                result=difference.result,
                reason=difference.reason,
                agreement_no=difference.agreement_no,
            ),
        )
        return ("done", "") if moved else _MOVED_ON

    def _write(self, store: SqlStore, work: Callable[[Tx, float], bool | None]) -> bool | None:
        now = time.time()
        return store.transact(lambda tx: work(tx, now))
