"""The audit log: each node chains its entries by hash, so that what was written cannot be changed,
reordered or taken from the middle without breaking the chain.

Canonical form of an entry: the JSON array `[node, sequence, at, action, subject, detail, previous]`
without spaces, in UTF-8, `at` in its shortest decimal form. `digest` is its SHA-256 in hexadecimal;
`previous` is the digest before it, 64 zeros for the first. Cutting off the newest entries leaves a
sound chain: keep the last digest elsewhere to notice that.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Protocol

import msgspec

from mocks.lender.records import AuditEntry
from mocks.lender.store import Duplicate, Tx

GENESIS = "0" * 64

_canonical = msgspec.json.Encoder().encode


def digest_of(entry: AuditEntry) -> str:
    """The digest that an entry with these values must have."""
    return _digest(
        entry.node,
        entry.sequence,
        entry.at,
        entry.action,
        entry.subject,
        entry.detail,
        entry.previous,
    )


def verify_chain(entries: Iterable[AuditEntry]) -> AuditEntry | None:
    """The first broken entry of one node's entries in order, None when the chain is sound."""
    previous = GENESIS
    for sequence, entry in enumerate(entries, start=1):
        sound = entry.sequence == sequence and entry.previous == previous
        if not sound or entry.digest != digest_of(entry):
            return entry
        previous = entry.digest
    return None


class Audit(Protocol):
    """Where the lender's steps record what they did."""

    def append(self, tx: Tx, at: float, action: str, subject: str, detail: str = "") -> None:
        """Record that `action` happened to `subject` (a record's key) at `at`."""


class NoAudit:
    """For virtual time: nobody reads the log, no decision depends on it, and what writing it costs
    is part of the commit."""

    def append(self, tx: Tx, at: float, action: str, subject: str, detail: str = "") -> None:
        pass


class AuditLog:
    """Appends to one node's chain, inside the transaction of the change it records."""

    def __init__(self, node: str) -> None:
        self._node = node
        # Sequence and digest of the last entry; None: ask the store. A rollback may take entries
        # back, and so may a database that was restored or has failed over, so both are forgotten.
        self._tip: tuple[int, str] | None = None
        self._session: object = None

    def append(self, tx: Tx, at: float, action: str, subject: str, detail: str = "") -> None:
        """Record that `action` happened to `subject` (a record's key) at `at`."""
        at = float(at)
        tx.on_rollback(self._forget)
        if tx.session is not self._session:
            self._session = tx.session
            self._forget()
        try:
            self._append(tx, at, action, subject, detail)
        except Duplicate:
            # An earlier life of this node was still writing: go on after its last entry.
            self._tip = None
            self._append(tx, at, action, subject, detail)

    def _append(self, tx: Tx, at: float, action: str, subject: str, detail: str) -> None:
        sequence, previous = self._tip or self._read_tip(tx)
        sequence += 1
        node = self._node
        digest = _digest(node, sequence, at, action, subject, detail, previous)
        tx.add(
            AuditEntry(
                entry_id=f"{node}:{sequence}",
                node=node,
                sequence=sequence,
                at=at,
                action=action,
                subject=subject,
                detail=detail,
                previous=previous,
                digest=digest,
            )
        )
        self._tip = (sequence, digest)

    def _read_tip(self, tx: Tx) -> tuple[int, str]:
        last = tx.last(AuditEntry, node=self._node)
        return (0, GENESIS) if last is None else (last.sequence, last.digest)

    def _forget(self) -> None:
        self._tip = None


def _digest(*values: str | float) -> str:
    return sha256(_canonical(values)).hexdigest()
