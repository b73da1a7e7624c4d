"""What the lender keeps. Personal data stands here sealed (AES-GCM) or as a blind index, never in
clear; times are seconds on the world's clock."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from scenarios.contract import FINAL_STATES, State


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A stored value, whose first field is its key.

    `indexed` fields are searched by (`Tx.find`), `timed` ones swept by (`Tx.due`; None: never),
    `unique` groups of fields admit one record each, `order` says which of several is the oldest,
    and `sealed` names the fields that are encrypted.
    """

    table: ClassVar[str]
    order: ClassVar[str]
    indexed: ClassVar[tuple[str, ...]] = ()
    timed: ClassVar[tuple[str, ...]] = ()
    unique: ClassVar[tuple[tuple[str, ...], ...]] = ()
    sealed: ClassVar[tuple[str, ...]] = ()

    @property
    def finished_at(self) -> float | None:
        """Since when nothing more happens to it; None while something may."""
        return None


class Applicant(Record, frozen=True, kw_only=True, gc=False):
    """A registered person. `documents` lists the accepted document kinds."""

    table = "applicants"
    order = "created_at"
    unique = (("id_number_index",),)
    sealed = ("name", "id_number", "phone")

    applicant_id: str
    id_number_index: str
    name: bytes
    id_number: bytes
    phone: bytes
    documents: tuple[str, ...] = ()
    created_at: float


class Binding(Record, frozen=True, kw_only=True, gc=False):
    """One card being bound, from submission to its end.

    `reason` says why it ended otherwise than ACTIVE. `otp_hash` is a keyed hash; `otp_sent` counts
    accepted messages, and `otp_delivery` is the last report about one of them, `"2 DELIVRD"`;
    `otp_asked_at` is when a code was last asked for, kept where there is a cooldown.
    `agreement_no` is the bank's. An unfinished binding expires at `expires_at`.
    """

    table = "bindings"
    order = "created_at"
    indexed = ("card_index",)
    timed = ("expires_at",)
    sealed = ("card_number", "holder", "id_number", "phone")

    binding_id: str
    applicant_id: str
    state: State
    reason: str = ""
    card_number: bytes
    card_index: str
    card_shown: str
    holder: bytes
    id_number: bytes
    phone: bytes
    otp_hash: str = ""
    otp_expires_at: float = 0.0
    otp_tries: int = 0
    otp_sent: int = 0
    otp_asked_at: float = 0.0
    otp_delivery: str = ""
    agreement_no: str = ""
    terms_version: str = ""
    consents: tuple[str, ...] = ()
    created_at: float
    updated_at: float
    expires_at: float | None = None

    @property
    def finished_at(self) -> float | None:
        return self.updated_at if self.state in FINAL_STATES else None


class PartnerCall(Record, frozen=True, kw_only=True, gc=False):
    """The outbox: a call to a partner that was decided in the same transaction as the state change
    behind it, and is finished only when the partner's answer is stored.

    `call_id` is also the merchant order number, by which the partner knows it: one for each
    binding and operation, so that whatever is repeated is repeated under the same number.
    `status`: PENDING, UNKNOWN (sent, outcome not known: query before anything else), ACCEPTED (did
    nothing, to be sent later: in line since `drain_at`) or DONE with a `result`. Whoever works on a
    call holds it until `due_at`; then the outbox takes it over.
    `node` is the lender process that works on it, `looks` counts those of the outbox.
    """

    table = "partner_calls"
    order = "created_at"
    timed = ("due_at", "drain_at")

    call_id: str
    binding_id: str
    gateway: str
    op: str
    status: str
    result: str = ""
    looks: int = 0
    node: str
    created_at: float
    updated_at: float
    due_at: float | None
    drain_at: float | None = None

    @property
    def finished_at(self) -> float | None:
        return self.updated_at if self.status == "DONE" else None


class IdempotentReply(Record, frozen=True, kw_only=True, gc=False):
    """The first reply to an idempotency key, kept 24 h. `status` 0: still in progress, by `owner`
    (a node and its life). `fingerprint` is a keyed hash of the request."""

    table = "idempotent_replies"
    order = "created_at"
    timed = ("expires_at",)

    key: str
    fingerprint: str
    owner: str
    status: int = 0
    body: bytes = b""
    created_at: float
    expires_at: float

    @property
    def finished_at(self) -> float | None:
        return self.created_at if self.status else None


class AuditEntry(Record, frozen=True, kw_only=True, gc=False):
    """One link of a node's hash chain (`mocks.lender.audit`): `digest` is SHA-256 over the entry
    and `previous`, the digest before it. `subject` is a record's key; `detail` holds nothing
    personal.
    """

    table = "audit"
    order = "sequence"
    unique = (("node", "sequence"),)

    entry_id: str
    node: str
    sequence: int
    at: float
    action: str
    subject: str
    detail: str
    previous: str
    digest: str


KINDS: tuple[type[Record], ...] = (Applicant, Binding, PartnerCall, IdempotentReply, AuditEntry)
