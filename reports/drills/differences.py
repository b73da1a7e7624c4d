"""Where lender, bank and payment gateway differ, and how each difference is mended.

Only what certainly does no harm is mended without a person: money goes back under the order number
that the lender itself would use, an agreement that no binding needs is terminated, records are
entered that a partner's file proves, and a state follows the partner's answer as the lender's own
rules would have it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

import msgspec

from reports.drills.books import (
    CHARGE,
    OPEN,
    REFUND,
    AgreementRow,
    BindingRow,
    Books,
    CallRow,
    Movement,
    binding_of,
    order_no,
)
from reports.drills.partner_findings import active_agreements
from scenarios.contract import State

Repair = Literal["terminate", "refund", "enter", "set_state", "person"]
"""Terminate the agreement; give the charge back; enter the movement into the lender's records; set
the binding's state by the partner's answer; a person must decide."""

OWNER_GRACE = 30.0
"""Seconds by which the outbox may be late with a call before nobody is thought to have it."""

_S = State
_BEFORE_SIGNING = frozenset({_S.CARD_SUBMITTED, _S.OTP_SENT, _S.VERIFYING})
_SIGNED = frozenset({_S.VERIFIED, _S.AUTHORISED, _S.PAYING, _S.ACTIVE})
_UNPAID = frozenset({_S.AUTHORISED, _S.PAYING})
_OPERATIONS = (OPEN, CHARGE, REFUND)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One difference about one binding.

    `order_no` is the partner's order that it is about, `found` the binding's state on record (empty
    without a record), `why` says in one line what differs, `repair` how it is mended. For
    `set_state`, `to`, `reason` and `agreement_no` are the binding's new ones and `op` the partner
    call that is settled with `result`; for `enter`, `op` is the call; for `terminate`,
    `agreement_no` is ended.
    """

    kind: str
    binding_id: str
    order_no: str
    found: str
    why: str
    repair: Repair
    amount_fen: int = 0
    agreement_no: str = ""
    to: str = ""
    reason: str = ""
    op: str = ""
    result: str = ""


class _Case(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one binding."""

    binding_id: str
    row: BindingRow | None
    calls: dict[str, CallRow]
    signings: list[AgreementRow]
    charges: list[Movement]
    refunds: list[Movement]

    @property
    def state(self) -> str:
        return "" if self.row is None else str(self.row.state)


def differences(books: Books) -> tuple[list[Difference], set[str]]:
    """The differences, by binding, and the bindings that are still being worked on, of which
    nothing can be said yet."""
    cases = _cases(books)
    busy = {case.binding_id for case in cases if _is_busy(case, books.now)}
    # What was written after the reading began may be newer than the partners' files.
    busy |= {row.binding_id for row in books.bindings.values() if row.updated_at >= books.now}
    needed = _needed(cases)
    newest = {row.agreement_no: row.order_no for row in active_agreements(books.agreements)}
    found: list[Difference] = []
    for case in cases:
        if case.binding_id not in busy:
            found += _of_agreement(case, books, needed, newest)
            found += _of_doubt(case, books)
            found += _of_money(case, books)
    return found, busy


def _cases(books: Books) -> list[_Case]:
    calls: dict[str, dict[str, CallRow]] = defaultdict(dict)
    signings: dict[str, list[AgreementRow]] = defaultdict(list)
    moved: dict[str, list[Movement]] = defaultdict(list)
    for call in books.calls.values():
        if call.op in _OPERATIONS:
            calls[call.binding_id][call.op] = call
    for signing in active_agreements(books.agreements):
        signings[binding_of(signing.order_no)].append(signing)
    for movement in books.movements:
        moved[binding_of(movement.order_no)].append(movement)
    return [
        _Case(
            binding_id=binding_id,
            row=books.bindings.get(binding_id),
            calls=calls.get(binding_id, {}),
            signings=signings.get(binding_id, []),
            charges=[one for one in moved.get(binding_id, []) if one.kind == "charge"],
            refunds=[one for one in moved.get(binding_id, []) if one.kind == "refund"],
        )
        for binding_id in sorted({*books.bindings, *calls, *signings, *moved})
    ]


def _is_busy(case: _Case, now: float) -> bool:
    return any(
        call.unfinished
        and (call.waits or (call.due_at is not None and call.due_at >= now - OWNER_GRACE))
        for call in case.calls.values()
    )


def _needed(cases: list[_Case]) -> set[str]:
    """Agreement numbers, and cards, that some binding needs or is about to need. A card has one
    agreement number, whichever orders signed it."""
    needed: set[str] = set()
    for case in cases:
        row = case.row
        if row is None:
            continue
        if row.state in _SIGNED | _BEFORE_SIGNING:
            needed |= {row.agreement_no, row.card}
            needed |= {signing.agreement_no for signing in case.signings}
    return needed - {""}


# ── the bank's side ─────────────────────────────────────────────────────────────────────────────


def _of_agreement(
    case: _Case, books: Books, needed: set[str], newest: dict[str, str]
) -> Iterator[Difference]:
    """`newest`: the order that signed each agreement last."""
    row, number = case.row, order_no(case.binding_id, OPEN)
    if row is not None and not row.readable:
        yield _person(case, "unreadable_binding", number, "its sealed fields need a missing key")
    if row is None or row.state not in _SIGNED | _BEFORE_SIGNING:
        for signing in case.signings:
            if signing.agreement_no in needed or (row is not None and row.card in needed):
                continue
            if newest[signing.agreement_no] != signing.order_no:
                continue
            yield Difference(
                kind="agreement_without_binding" if row is None else "agreement_of_ended_binding",
                binding_id=case.binding_id,
                order_no=signing.order_no,
                found=case.state,
                why="the bank holds an agreement that no binding needs",
                repair="terminate",
                agreement_no=signing.agreement_no,
            )
    elif row.state in _BEFORE_SIGNING:
        if case.signings:
            yield _set_state(
                case, "state_behind_bank", OPEN, State.VERIFIED, "the bank has signed", "done"
            )
    elif not case.signings:
        if row.created_at >= books.since and row.agreement_no not in newest:
            yield _person(
                case,
                "binding_without_agreement",
                number,
                "the bank's file has no agreement; ask the bank before the customer loses the card",
            )
    elif all(signing.agreement_no != row.agreement_no for signing in case.signings):
        yield _person(case, "agreement_differs", number, "the bank has another agreement number")


# ── orders whose outcome is not on record ───────────────────────────────────────────────────────


def _of_doubt(case: _Case, books: Books) -> Iterator[Difference]:
    """A binding that waits for a partner, with nobody left who asks."""
    if case.state == State.VERIFYING and not case.signings:
        op, back, ended = OPEN, State.OTP_SENT, State.REJECTED
    elif case.state == State.PAYING and not case.charges:
        op, back, ended = CHARGE, State.AUTHORISED, State.FAILED
    else:
        return
    kind = f"stuck_{case.state.lower()}"
    number = order_no(case.binding_id, op)
    answer = books.answers.get(number)
    if answer is None or answer.outcome == "unknown":
        yield _person(case, kind, number, "the partner does not know yet; ask again later")
    elif answer.outcome == "nothing":
        yield _set_state(case, kind, op, back, "the partner did nothing", "not_processed")
    elif answer.outcome == "declined":
        yield _set_state(
            case, kind, op, ended, "the partner declined", "declined", reason=answer.reason
        )
    elif op == OPEN and answer.agreement_no:
        yield _set_state(
            *(case, kind, op, State.VERIFIED, "the bank has signed", "done"),
            agreement_no=answer.agreement_no,
        )
    else:
        yield _person(case, kind, number, "the partner says it is done; its file does not have it")


# ── the payment gateway's side ──────────────────────────────────────────────────────────────────


def _of_money(case: _Case, books: Books) -> Iterator[Difference]:
    number, back = order_no(case.binding_id, CHARGE), order_no(case.binding_id, REFUND)
    charged = sum(one.amount_fen for one in case.charges)
    refunded = sum(one.amount_fen for one in case.refunds)
    if refunded > charged:
        yield _person(
            *(case, "refunded_too_much", back, "more went back than was charged"),
            amount_fen=refunded - charged,
        )
        return
    if len(case.charges) > 1:
        yield _person(
            *(case, "charged_twice", number, f"{len(case.charges)} charges of one binding"),
            amount_fen=charged,
        )
        return
    if not case.charges:
        yield from _of_no_charge(case, books)
        return
    if charged != books.amount_fen:
        yield _person(
            *(case, "amount_differs", number, f"a test payment is {books.amount_fen} fen"),
            amount_fen=charged,
        )
        return
    completes = case.state in _UNPAID and bool(case.signings)
    if case.state in _UNPAID:
        if completes:
            yield _set_state(
                *(case, "state_behind_payment", CHARGE, State.ACTIVE),
                *("the test payment has succeeded", "done"),
                amount_fen=charged,
            )
        else:
            yield _person(case, "state_behind_payment", number, "paid, but the bank has not signed")
    if not completes and not _done(case, CHARGE):
        yield _enter(case, "charge_without_record", CHARGE, charged)
    if not case.refunds:
        yield Difference(
            kind="charge_without_refund",
            binding_id=case.binding_id,
            order_no=back,
            found=case.state,
            why="the test payment was not given back",
            repair="refund",
            amount_fen=charged,
            op=REFUND,
        )
    elif refunded < charged:
        yield _person(
            *(case, "refund_incomplete", back, "only a part went back"),
            amount_fen=charged - refunded,
        )
    elif not _done(case, REFUND):
        yield _enter(case, "refund_without_record", REFUND, refunded)


def _of_no_charge(case: _Case, books: Books) -> Iterator[Difference]:
    covered = [call for call in case.calls.values() if call.done and call.created_at >= books.since]
    recorded = [call.op for call in covered if call.op in (CHARGE, REFUND)]
    for op in recorded:
        yield _person(
            *(case, f"record_without_{op}", order_no(case.binding_id, op)),
            *(f"the settlement file has no such {op}", books.amount_fen),
        )
    row = case.row
    if recorded or row is None or row.state != State.ACTIVE or row.created_at < books.since:
        return
    if not _done(case, CHARGE):
        number = order_no(case.binding_id, CHARGE)
        yield _person(case, "active_without_charge", number, "ACTIVE without a test payment")


def _done(case: _Case, op: str) -> bool:
    call = case.calls.get(op)
    return call is not None and call.done


# ── words ───────────────────────────────────────────────────────────────────────────────────────


def _person(case: _Case, kind: str, number: str, why: str, amount_fen: int = 0) -> Difference:
    return Difference(
        kind=kind,
        binding_id=case.binding_id,
        order_no=number,
        found=case.state,
        why=why,
        repair="person",
        amount_fen=amount_fen,
    )


def _enter(case: _Case, kind: str, op: str, amount_fen: int) -> Difference:
    return Difference(
        kind=kind,
        binding_id=case.binding_id,
        order_no=order_no(case.binding_id, op),
        found=case.state,
        why=f"the settlement file has a {op} that the lender has not on record",
        repair="enter",
        amount_fen=amount_fen,
        op=op,
        result="done",
    )


def _set_state(
    case: _Case,
    kind: str,
    op: str,
    to: State,
    why: str,
    result: str,
    *,
    reason: str = "",
    agreement_no: str = "",
    amount_fen: int = 0,
) -> Difference:
    signed = case.signings[-1].agreement_no if case.signings else ""
    return Difference(
        kind=kind,
        binding_id=case.binding_id,
        order_no=order_no(case.binding_id, op),
        found=case.state,
        why=why,
        repair="set_state",
        amount_fen=amount_fen,
        agreement_no=agreement_no or signed,
        to=to,
        reason=reason,
        op=op,
        result=result,
    )
