"""Reads what lender, bank and payment gateway have on record, for the checker and to reconcile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from loadtests.admin import AdminProblem, fetch
from mocks.content import json_object
from mocks.daily_log import CHINA, day_bounds
from mocks.lender.audit import digest_of
from mocks.lender.database_url import DatabaseUrl
from mocks.lender.key_ring import KeyRing, KeyRingError
from mocks.lender.partner_answers import Verdict, about_another, bank_query, payment_query
from mocks.lender.partner_fields import AMOUNT_FEN
from mocks.lender.records import Applicant, AuditEntry, Binding, PartnerCall
from mocks.lender.sql_store import SqlStore
from mocks.lender.store import StoreUnavailable
from mocks.lender.vault import AesGcmVault, VaultError
from mocks.world import GatewayAnswer
from reports.drills.books import (
    CHARGE,
    OPEN,
    AgreementRow,
    AuditLink,
    AuditTip,
    BindingRow,
    Books,
    CallRow,
    Movement,
    PartnerAnswer,
    SiteRecords,
    order_no,
)
from scenarios.contract import FINAL_STATES, State
from scenarios.csv_cells import read_csv

DAYS = 2
"""Daily files that are read, the newest last: the gateways keep no older ones."""


class ReconcileProblem(Exception):
    """A side cannot be read; the message is one line for the user."""


@contextmanager
def opened(database: str) -> Iterator[SqlStore]:
    """The lender's store at a database URL that exists. Raises StoreUnavailable."""
    file = DatabaseUrl(database).file
    if file is not None and not Path(file).is_file():
        # Opening it would make an empty one.
        raise StoreUnavailable(f"database {file}: there is no such file")
    store = SqlStore(database)
    try:
        yield store
    finally:
        store.close()


def read_site(database: str, site: str = "lender") -> SiteRecords:
    """All that the checker looks up in one lender database. Raises StoreUnavailable."""
    with opened(database) as store:
        return SiteRecords(
            site=site,
            bindings={row.binding_id: _binding(row, None) for row in store.records(Binding)},
            applicants={
                row.applicant_id: frozenset(row.documents) for row in store.records(Applicant)
            },
            audit=tuple(_link(entry) for entry in store.records(AuditEntry)),
        )


def audit_tips(database: str, at: float) -> tuple[AuditTip, ...]:
    """The newest audit entry of each node, to be kept elsewhere: it shows later whether the end of
    the chain was cut off. `at` is now, in seconds since the epoch. Raises StoreUnavailable."""
    newest: dict[str, AuditEntry] = {}
    with opened(database) as store:
        for entry in store.records(AuditEntry):
            newest[entry.node] = entry
    return tuple(
        AuditTip(node=node, sequence=entry.sequence, digest=entry.digest, at=at)
        for node, entry in sorted(newest.items())
    )


def read_agreements(bank_url: str, now: float) -> tuple[AgreementRow, ...]:
    """The bank's agreement files of the last days. Raises ReconcileProblem."""
    rows, totals = _files(f"{bank_url}/v1/agreements", now, AgreementRow)
    signed = sum(row.kind == "signed" for row in rows)
    _expect_totals(bank_url, (signed, len(rows) - signed), totals)
    return tuple(rows)


def read_movements(payment_url: str, now: float) -> tuple[Movement, ...]:
    """The payment gateway's settlement files of the last days. Raises ReconcileProblem."""
    rows, totals = _files(f"{payment_url}/v1/settlement", now, Movement)
    charged = sum(row.amount_fen for row in rows if row.kind == "charge")
    refunded = sum(row.amount_fen for row in rows if row.kind == "refund")
    _expect_totals(payment_url, (charged, refunded), totals)
    return tuple(rows)


def read_books(
    store: SqlStore, keys: Path | None, bank_url: str, payment_url: str, now: float
) -> Books:
    """All three sides at `now`, seconds since the epoch. Raises ReconcileProblem, StoreUnavailable.

    The partners are read first: whatever they have done, the lender had on record before it asked
    them. Without `keys` it is not looked at whether sealed fields open.
    """
    vault = None if keys is None else _vault(keys)
    agreements = read_agreements(bank_url, now)
    movements = read_movements(payment_url, now)
    calls = {row.call_id: _call(row) for row in store.records(PartnerCall)}
    bindings = {row.binding_id: _binding(row, vault) for row in store.records(Binding)}
    answers = {}
    for row in bindings.values():
        if row.state == State.VERIFYING:
            number = order_no(row.binding_id, OPEN)
            answers[number] = _ask(bank_url, number, bank_query)
        elif row.state == State.PAYING:
            number = order_no(row.binding_id, CHARGE)
            answers[number] = _ask(payment_url, number, payment_query)
    return Books(
        bindings=bindings,
        calls=calls,
        agreements=agreements,
        movements=movements,
        answers=answers,
        now=now,
        since=day_bounds(_days(now)[0].date())[0],
        amount_fen=AMOUNT_FEN,
    )


def post(url: str, body: dict[str, Any]) -> GatewayAnswer:
    """Call a gateway's operation. Raises ReconcileProblem when no answer comes."""
    try:
        status, content = fetch(url, "POST", body)
    except AdminProblem as problem:
        raise ReconcileProblem(str(problem)) from None
    return GatewayAnswer(status, json_object(content) or {})


# ── the lender ──────────────────────────────────────────────────────────────────────────────────


def _vault(keys: Path) -> AesGcmVault:
    try:
        return AesGcmVault(KeyRing.load(keys))
    except KeyRingError as error:
        raise ReconcileProblem(str(error)) from None


def _binding(row: Binding, vault: AesGcmVault | None) -> BindingRow:
    ended = row.state in FINAL_STATES and row.state != State.ACTIVE
    return BindingRow(
        binding_id=row.binding_id,
        state=row.state,
        reason=row.reason,
        card=row.card_index,
        agreement_no=row.agreement_no,
        created_at=row.created_at,
        updated_at=row.updated_at,
        readable=ended or vault is None or _opens(row, vault),
    )


def _opens(row: Binding, vault: AesGcmVault) -> bool:
    try:
        vault.unseal(row.card_number, f"bindings.card_number:{row.binding_id}")
    except VaultError:
        return False
    return True


def _call(row: PartnerCall) -> CallRow:
    return CallRow(
        order_no=row.call_id,
        binding_id=row.binding_id,
        op=row.op,
        status=row.status,
        result=row.result,
        due_at=row.due_at,
        waits=row.drain_at is not None,
        created_at=row.created_at,
    )


def _link(entry: AuditEntry) -> AuditLink:
    return AuditLink(
        node=entry.node,
        sequence=entry.sequence,
        at=entry.at,
        action=entry.action,
        subject=entry.subject,
        previous=entry.previous,
        digest=entry.digest,
        sound=entry.digest == digest_of(entry),
    )


# ── the partners ────────────────────────────────────────────────────────────────────────────────


def _days(now: float) -> list[datetime]:
    today = datetime.fromtimestamp(now, CHINA)
    return [today - timedelta(days=back) for back in reversed(range(DAYS))]


def _files(root: str, now: float, kind: type[Any]) -> tuple[list[Any], list[tuple[int, int]]]:
    rows: list[Any] = []
    totals = []
    for day in _days(now):
        url = f"{root}/{day.date()}"
        try:
            status, content = fetch(url)
        except AdminProblem as problem:
            raise ReconcileProblem(str(problem)) from None
        if status != 200:
            raise ReconcileProblem(f"{url} is refused ({status})")
        try:
            # Without its one line of totals a file may be cut.
            records, (total,) = read_csv(content.decode())
            rows += msgspec.convert(records, list[kind], strict=False)  # type: ignore[valid-type]
            totals.append(_numbers(total["kind"]))
        except (ValueError, KeyError):
            raise ReconcileProblem(f"{url} is not the file of a day") from None
    return rows, totals


def _numbers(text: str) -> tuple[int, int]:
    """Of `charge 3 refund 2`."""
    first, second = text.split()[1::2]
    return int(first), int(second)


def _expect_totals(url: str, counted: tuple[int, int], told: list[tuple[int, int]]) -> None:
    if counted != (sum(one for one, _ in told), sum(two for _, two in told)):
        raise ReconcileProblem(f"{url}: a file's lines do not add up to its totals")


def _ask(url: str, number: str, meaning: Callable[[GatewayAnswer], Verdict]) -> PartnerAnswer:
    answer = post(f"{url}/v1/query", {"order_no": number})
    if about_another(answer, number):
        return PartnerAnswer(outcome="unknown")
    verdict = meaning(answer)
    outcome = "nothing" if verdict.outcome == "not_processed" else verdict.outcome.value
    return msgspec.convert(
        {"outcome": outcome, "reason": verdict.reason, "agreement_no": verdict.agreement_no},
        PartnerAnswer,
    )
