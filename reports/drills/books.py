"""What the lender, the bank and the payment gateway each have on record, as read after a drill.

The lender's records are read from its database, the agreements from the bank's daily agreement
file, the money from the payment gateway's daily settlement file. Times are seconds since the epoch,
amounts CNY fen. Nothing here is personal: identifiers, order numbers and keyed hashes.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from scenarios.contract import State

OPEN, CHARGE, REFUND, TERMINATE = "open", "charge", "refund", "terminate"
"""Operations at the partners. A binding's order number at a partner is `<binding>-<operation>`."""


class BindingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A binding. `card` is the blind index of its card number; `readable` whether its sealed fields
    open with the key ring."""

    binding_id: str
    state: State
    reason: str = ""
    card: str = ""
    agreement_no: str = ""
    created_at: float = 0.0
    updated_at: float = 0.0
    readable: bool = True


class CallRow(msgspec.Struct, frozen=True, kw_only=True):
    """A partner call of the lender's outbox. `result` is `done` or `declined` once the partner has
    said so. `due_at`: whoever works on it has it until then; `waits`: it is in line to be sent."""

    order_no: str
    binding_id: str
    op: str
    status: str
    result: str = ""
    due_at: float | None = None
    waits: bool = False
    created_at: float = 0.0

    @property
    def done(self) -> bool:
        """Whether the lender knows that the partner did it."""
        return self.status == "DONE" and self.result == "done"

    @property
    def unfinished(self) -> bool:
        """Whether the outbox still has it."""
        return self.status != "DONE"


class AuditLink(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a node's audit chain; `sound` says whether its digest is that of its content."""

    node: str
    sequence: int
    at: float
    action: str
    subject: str
    previous: str
    digest: str
    sound: bool = True


class AuditTip(msgspec.Struct, frozen=True, kw_only=True):
    """The newest entry of a node's chain as it was seen `at` some moment and kept elsewhere."""

    node: str
    sequence: int
    digest: str
    at: float


class SiteRecords(msgspec.Struct, frozen=True, kw_only=True):
    """One database. `applicants` has the document kinds accepted of each; `audit` is None where the
    service keeps no chain that we can read."""

    site: str = "lender"
    bindings: dict[str, BindingRow] = {}
    applicants: dict[str, frozenset[str]] = {}
    audit: tuple[AuditLink, ...] | None = None


_Number = Annotated[str, msgspec.Meta(pattern=r"\A[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]{1,600}\Z")]
"""An order or agreement number of anybody's, for these files hold those of others too: any text
that the gateways take."""
_Moment = Annotated[float, msgspec.Meta(ge=0, lt=1e11)]
"""Seconds since the epoch, of our millennium."""


class AgreementRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the bank's agreement file: `order_no` is the order that signed or terminated."""

    agreement_no: _Number
    order_no: _Number
    kind: Literal["signed", "terminated"]
    time: _Moment


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the settlement file; `amount_fen` is positive for both kinds."""

    order_no: _Number
    kind: Literal["charge", "refund"]
    amount_fen: Annotated[int, msgspec.Meta(ge=1, le=10**10)]
    time: _Moment


class PartnerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a partner says of an order when asked: it was done, declined (`reason`), never came, or
    is not known yet. `agreement_no` of an opening that was done."""

    outcome: Literal["done", "declined", "nothing", "unknown"]
    reason: str = ""
    agreement_no: str = ""


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """All three sides at `now`. The partners' files reach back to `since`. `answers` has what the
    partners said of orders in doubt, by order number. A test payment is `amount_fen`."""

    bindings: dict[str, BindingRow]
    calls: dict[str, CallRow]
    agreements: tuple[AgreementRow, ...]
    movements: tuple[Movement, ...]
    answers: dict[str, PartnerAnswer] = {}
    now: float
    since: float
    amount_fen: int = 1


def order_no(binding_id: str, op: str) -> str:
    """The order number by which a partner knows a binding's operation."""
    return f"{binding_id}-{op}"


def binding_of(number: str) -> str:
    """The binding of an order number; the number itself when it is not of that form."""
    return number.rpartition("-")[0] or number


def masked(identifier: str) -> str:
    """An identifier for reports: its prefix and its last six characters."""
    prefix, underscore, rest = identifier.rpartition("_")
    return identifier if len(rest) <= 8 else f"{prefix}{underscore}…{rest[-6:]}"
