"""What the bank's and the payment gateway's answers mean to the lender. Pure, and data first."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import msgspec

from mocks.lender.partner_fields import AMOUNT_FEN, BankReply, PaymentReply, read_reply
from mocks.lender.policies.withheld import Withheld
from mocks.world import CallFailed, GatewayAnswer


class Outcome(StrEnum):
    """What is known about an order. NOT_PROCESSED: it certainly did nothing and may be sent again
    under the same number; UNKNOWN: it may have been done, so ask before anything else."""

    DONE = "done"
    DECLINED = "declined"
    NOT_PROCESSED = "not_processed"
    UNKNOWN = "unknown"


class Verdict(msgspec.Struct, frozen=True):
    """An outcome, the `reason` of a decline in one word, and the bank's agreement number.

    `unanswered`: no answer came at all. `withheld`: the policy that kept the order back, with
    `retry_after` in seconds.
    """

    outcome: Outcome
    reason: str = ""
    agreement_no: str = ""
    unanswered: bool = False
    withheld: str = ""
    retry_after: float = 0.0


NOT_PROCESSED = Verdict(Outcome.NOT_PROCESSED)
UNKNOWN = Verdict(Outcome.UNKNOWN)
UNANSWERED = Verdict(Outcome.UNKNOWN, unanswered=True)

# ── bank: `respCode` of the online gateway (FACTS: UnionPay 全渠道) ─────────────────────────────

BANK_APPROVED = frozenset({"00", "A6"})
BANK_NOT_PROCESSED = frozenset({"02", "06", "37"})
"""System closed, system busy, too many calls: nothing was done."""
BANK_DECLINES: dict[str, str] = {
    "01": "failed",
    "10": "request_refused",
    "11": "request_refused",
    "13": "request_refused",
    "30": "failed",
    "31": "merchant_refused",
    "32": "merchant_refused",
    "33": "over_limit",
    "35": "request_refused",
    "36": "request_refused",
    "38": "risk_control",
    "39": "outside_hours",
    "40": "binding_check_failed",
    "60": "ask_issuer",
    "61": "invalid_card",
    "62": "merchant_refused",
    "63": "card_state",
    "64": "insufficient_funds",
    "65": "wrong_card_data",
    "66": "identity_mismatch",
    "67": "pin_tries_exceeded",
    "68": "not_supported",
    "71": "bank_code_failed",
    "73": "card_expired",
    "77": "not_opened",
    "78": "issuer_restricted",
    "79": "no_issuer_sms",
    "87": "count_exceeded",
    "99": "failed",
}
"""Final refusals, by reason. All other codes (03, 04, 05, 12 duplicate, 83, and any that nobody
listed) leave the outcome open, to be asked for."""
BANK_NO_ORDER = "34"

# ── payment ─────────────────────────────────────────────────────────────────────────────────────

TRADE_OUTCOMES: dict[str, Outcome] = {
    "SUCCESS": Outcome.DONE,
    "FAILED": Outcome.DECLINED,
    "PROCESSING": Outcome.UNKNOWN,
}
PAYMENT_REFUSALS = frozenset(
    {"ORDER_CONFLICT", "PARAM_ERROR", "ORIGINAL_NOT_FOUND", "ORIGINAL_NOT_PAID", "REFUND_EXCEEDS"}
)
"""Codes without a trade state that are final. All others leave the outcome open."""
PAYMENT_NO_ORDER = "ORDER_NOT_FOUND"

_DID_NOTHING = (429, 503)
"""HTTP statuses that come before any work: throttled, out of service."""


def failed_call(failure: CallFailed) -> Verdict:
    """The meaning of no answer to `open`, `charge` or `refund`."""
    if isinstance(failure, Withheld):
        return Verdict(
            Outcome.NOT_PROCESSED, withheld=failure.policy, retry_after=failure.retry_after
        )
    return NOT_PROCESSED if failure.reason == "UNREACHABLE" else UNANSWERED


def about_another(answer: GatewayAnswer, order_no: str) -> bool:
    """Whether the answer names an order that was not asked about: it says nothing about ours."""
    named = answer.body.get("order_no")
    return bool(named) and named != order_no


def bank_open(answer: GatewayAnswer) -> Verdict:
    """The meaning of an answer to `open`."""
    if answer.status in _DID_NOTHING:
        return NOT_PROCESSED
    if answer.status >= 500:
        return UNKNOWN
    reply = read_reply(answer, BankReply)
    return _bank_code(reply.respCode, reply)


def bank_query(answer: GatewayAnswer) -> Verdict:
    """The meaning of an answer to a query: of the query itself, then of the order asked about."""
    if answer.status != 200:
        return UNKNOWN
    reply = read_reply(answer, BankReply)
    if reply.respCode == BANK_NO_ORDER:
        return NOT_PROCESSED
    return _bank_code(reply.origRespCode, reply) if reply.respCode == "00" else UNKNOWN


def payment_order(answer: GatewayAnswer) -> Verdict:
    """The meaning of an answer to `charge` or `refund`."""
    if answer.status in _DID_NOTHING:
        return NOT_PROCESSED
    if answer.status >= 500:
        return UNKNOWN
    reply = read_reply(answer, PaymentReply)
    if reply.trade_state:
        return _told(reply)
    if reply.code in PAYMENT_REFUSALS:
        return Verdict(Outcome.DECLINED, reply.code.lower())
    return UNKNOWN


def payment_query(answer: GatewayAnswer) -> Verdict:
    """The meaning of an answer to a query about a charge or refund."""
    if answer.status != 200:
        return UNKNOWN
    reply = read_reply(answer, PaymentReply)
    return NOT_PROCESSED if reply.code == PAYMENT_NO_ORDER else _told(reply)


def trade_verdict(trade_state: str, reason: str) -> Verdict:
    """The meaning of a `trade_state`, also of one that a notification tells."""
    outcome = TRADE_OUTCOMES.get(trade_state, Outcome.UNKNOWN)
    if outcome == Outcome.DECLINED:
        return Verdict(outcome, reason.lower() or "failed")
    return Verdict(outcome)


MEANINGS: dict[tuple[str, str], Callable[[GatewayAnswer], Verdict]] = {
    ("bank", "open"): bank_open,
    ("bank", "query"): bank_query,
    ("payment", "charge"): payment_order,
    ("payment", "refund"): payment_order,
    ("payment", "query"): payment_query,
}


def _told(reply: PaymentReply) -> Verdict:
    if reply.amount_fen not in (None, AMOUNT_FEN):
        return UNKNOWN  # no order of ours has another amount
    return trade_verdict(reply.trade_state, reply.reason)


def _bank_code(code: str, reply: BankReply) -> Verdict:
    if code in BANK_APPROVED:
        agreement_no = reply.agreement_no
        return Verdict(Outcome.DONE, "", agreement_no) if agreement_no else UNKNOWN
    if code in BANK_NOT_PROCESSED:
        return NOT_PROCESSED
    reason = BANK_DECLINES.get(code)
    return UNKNOWN if reason is None else Verdict(Outcome.DECLINED, reason)
