"""The lender's public HTTP contract, as data: operations, states and error codes.

The lender's server, its OpenAPI document, the simulator and the Locust client all read this table,
so that the two clocks cannot drift apart.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Operation(msgspec.Struct, frozen=True):
    """One call of the contract: its name in reports, method, path template and meaning."""

    name: str
    method: str
    path: str
    summary: str


OPERATIONS: dict[str, Operation] = {
    op.name: op
    for op in (
        Operation("register", "POST", "/v1/applicants", "Register and check identity"),
        Operation(
            "documents",
            "POST",
            "/v1/applicants/{applicant}/documents",
            "Upload a picture of the ID card or bank card (multipart: kind, file)",
        ),
        Operation("submit", "POST", "/v1/bindings", "Submit card details; the bank's code is sent"),
        Operation("resend", "POST", "/v1/bindings/{binding}/otp", "Send the one-time code again"),
        Operation(
            "confirm",
            "POST",
            "/v1/bindings/{binding}/confirm",
            "Confirm the one-time code; the bank verifies four elements and signs",
        ),
        Operation(
            "authorise",
            "POST",
            "/v1/bindings/{binding}/agreement",
            "Accept the terms and consent scopes",
        ),
        Operation(
            "test_payment",
            "POST",
            "/v1/bindings/{binding}/test-payment",
            "Charge 1 fen, refunded afterwards",
        ),
        Operation("status", "GET", "/v1/bindings/{binding}", "Read a binding's state"),
    )
}

STEPS = ("register", "documents", "submit", "otp", "confirm", "authorise", "test_payment")
"""The funnel in order; `otp` is passed when the customer has read a code."""

TERMS_VERSION = "2026-01"
CONSENT_SCOPES = ("card_binding", "identity_check", "direct_debit")


class State(StrEnum):
    """A binding's states. VERIFYING and PAYING say that a partner's answer is not known yet."""

    CARD_SUBMITTED = "CARD_SUBMITTED"
    OTP_SENT = "OTP_SENT"
    VERIFYING = "VERIFYING"
    VERIFIED = "VERIFIED"
    AUTHORISED = "AUTHORISED"
    PAYING = "PAYING"
    ACTIVE = "ACTIVE"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    LOCKED = "LOCKED"
    FAILED = "FAILED"


FINAL_STATES = frozenset({State.ACTIVE, State.REJECTED, State.EXPIRED, State.LOCKED, State.FAILED})


class ErrorCode(StrEnum):
    """`error.code` of a 4xx or 5xx body, `{"error": {"code", "message", "field", "reason"}}`."""

    INVALID_FIELD = "INVALID_FIELD"  # 400, `field` names it
    UNDER_AGE = "UNDER_AGE"  # 403
    IDENTITY_CONFLICT = "IDENTITY_CONFLICT"  # 409, ID number known under another name
    DOCUMENTS_MISSING = "DOCUMENTS_MISSING"  # 409
    DOCUMENT_TYPE = "DOCUMENT_TYPE"  # 415
    DOCUMENT_SIZE = "DOCUMENT_SIZE"  # 413
    NOT_FOUND = "NOT_FOUND"  # 404
    WRONG_STATE = "WRONG_STATE"  # 409
    ALREADY_BOUND = "ALREADY_BOUND"  # 409
    IN_FLIGHT = "IN_FLIGHT"  # 409, same idempotency key still running
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"  # 422, same key with other parameters
    SMS_LIMIT = "SMS_LIMIT"  # 429, Retry-After
    SMS_REFUSED = "SMS_REFUSED"  # 502
    SMS_UNAVAILABLE = "SMS_UNAVAILABLE"  # 503
    OTP_WRONG = "OTP_WRONG"  # 403
    OTP_EXPIRED = "OTP_EXPIRED"  # 410
    OTP_LOCKED = "OTP_LOCKED"  # 423, too many tries
    BANK_DECLINED = "BANK_DECLINED"  # 402, `reason` says why
    BANK_UNAVAILABLE = "BANK_UNAVAILABLE"  # 503
    CONSENT_MISSING = "CONSENT_MISSING"  # 400
    TERMS_STALE = "TERMS_STALE"  # 409
    PAYMENT_DECLINED = "PAYMENT_DECLINED"  # 402, `reason` says why
    PAYMENT_UNAVAILABLE = "PAYMENT_UNAVAILABLE"  # 503
    OVERLOADED = "OVERLOADED"  # 503, Retry-After


BAD_ANSWER = "BAD_ANSWER"
"""Code of an answer that came and cannot be used: it does not speak the contract, or not HTTP."""
TESTBED_LIMIT = "TESTBED_LIMIT"
"""Code of a request that could not be sent: the machine that plays the customer has no file, port
or memory left for a connection."""

RETRYABLE = frozenset(
    {
        "TIMEOUT",
        "UNREACHABLE",
        "RESET",
        ErrorCode.SMS_UNAVAILABLE,
        ErrorCode.BANK_UNAVAILABLE,
        ErrorCode.PAYMENT_UNAVAILABLE,
        ErrorCode.OVERLOADED,
        ErrorCode.IN_FLIGHT,
    }
)
"""Codes after which a customer may press the button again."""
