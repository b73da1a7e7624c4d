"""What the lender keeps. Personal data stands here sealed (`Sealed`) or as a blind index, never
in clear; times are seconds on the world's clock."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from scenarios.contract import State


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A stored value. Its first field is its key; `indexed` fields can be searched by, `unique`
    ones (or groups of fields) admit one record each."""

    table: ClassVar[str]
    indexed: ClassVar[tuple[str, ...]] = ()
    unique: ClassVar[tuple[tuple[str, ...], ...]] = ()


class Applicant(Record, frozen=True, kw_only=True):
    """A registered person. `documents` lists the accepted document kinds."""

    table = "applicants"
    unique = (("id_number_index",),)

    applicant_id: str
    id_number_index: str
    name: bytes
    id_number: bytes
    phone: bytes
    phone_index: str
    documents: tuple[str, ...] = ()
    created_at: float


class Binding(Record, frozen=True, kw_only=True):
    """One card being bound, from submission to its end.

    `reason` says why it ended otherwise than ACTIVE. `otp_hash` is a keyed hash; `otp_sent` counts
    messages. `agreement_no` is the bank's.
    """

    table = "bindings"
    indexed = ("card_index", "applicant_id", "state")

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
    phone_index: str
    otp_hash: str = ""
    otp_expires_at: float = 0.0
    otp_tries: int = 0
    otp_sent: int = 0
    otp_used: bool = False
    agreement_no: str = ""
    terms_version: str = ""
    consents: tuple[str, ...] = ()
    created_at: float
    updated_at: float


class PartnerCall(Record, frozen=True, kw_only=True):
    """The outbox: a call to a partner that was decided in the same transaction as the state change
    behind it, and is finished only when the partner's answer is stored.

    `call_id` is also the merchant order number, by which the partner knows it. `status`: PENDING,
    UNKNOWN (sent, outcome not known: query before anything else) or DONE. `payload` is sealed and
    emptied once done. `node` is the lender process that works on it.
    """

    table = "partner_calls"
    indexed = ("binding_id", "status")

    call_id: str
    binding_id: str
    gateway: str
    op: str
    status: str
    payload: bytes
    result: str = ""
    attempts: int = 0
    node: str
    created_at: float
    updated_at: float


class IdempotentReply(Record, frozen=True, kw_only=True):
    """The first reply to an idempotency key, kept 24 h. `status` 0: still in progress."""

    table = "idempotent_replies"
    indexed = ("expires_at",)

    key: str
    fingerprint: str
    status: int = 0
    body: bytes = b""
    expires_at: float


class AuditEntry(Record, frozen=True, kw_only=True):
    """One link of a node's hash chain: `digest` = SHA-256 over the entry and `previous`."""

    table = "audit"
    indexed = ("subject",)
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
