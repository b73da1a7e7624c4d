"""Refusals of the lender: which error code goes with which HTTP status, as data."""

from __future__ import annotations

import math
from typing import Any

from mocks.lender.messages import LenderResponse
from mocks.lender.partner_answers import Verdict
from scenarios.contract import ErrorCode, State

STATUS: dict[ErrorCode, int] = {
    ErrorCode.INVALID_FIELD: 400,
    ErrorCode.UNDER_AGE: 403,
    ErrorCode.IDENTITY_CONFLICT: 409,
    ErrorCode.DOCUMENTS_MISSING: 409,
    ErrorCode.DOCUMENT_TYPE: 415,
    ErrorCode.DOCUMENT_SIZE: 413,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.WRONG_STATE: 409,
    ErrorCode.ALREADY_BOUND: 409,
    ErrorCode.IN_FLIGHT: 409,
    ErrorCode.IDEMPOTENCY_MISMATCH: 422,
    ErrorCode.SMS_LIMIT: 429,
    ErrorCode.SMS_REFUSED: 502,
    ErrorCode.SMS_UNAVAILABLE: 503,
    ErrorCode.OTP_WRONG: 403,
    ErrorCode.OTP_EXPIRED: 410,
    ErrorCode.OTP_LOCKED: 423,
    ErrorCode.BANK_DECLINED: 402,
    ErrorCode.BANK_UNAVAILABLE: 503,
    ErrorCode.CONSENT_MISSING: 400,
    ErrorCode.TERMS_STALE: 409,
    ErrorCode.PAYMENT_DECLINED: 402,
    ErrorCode.PAYMENT_UNAVAILABLE: 503,
    ErrorCode.OVERLOADED: 503,
}


class Refused(Exception):
    """The request is refused with this error. Raised inside a transaction, it undoes it.

    `field` names the offending field, `reason` says why in one word, `retry_after` (seconds) when
    to come back, rounded up, `beside` stands in the body next to `error`.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        field: str = "",
        reason: str = "",
        retry_after: float = 0.0,
        beside: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        error: dict[str, Any] = {"code": str(code), "message": message}
        if field:
            error["field"] = field
        if reason:
            error["reason"] = reason
        headers = {"Retry-After": str(math.ceil(retry_after))} if retry_after else {}
        self.code = code
        self.response = LenderResponse(STATUS[code], {"error": error, **(beside or {})}, headers)


def overloaded(message: str, beside: dict[str, Any] | None = None) -> Refused:
    """The refusal of work that the lender has no room or no time for."""
    return Refused(ErrorCode.OVERLOADED, message, retry_after=1.0, beside=beside)


def unavailable(code: ErrorCode, message: str, verdict: Verdict, state: State) -> Refused:
    """The refusal that follows from an order which came to nothing; the binding is in `state`."""
    beside = {"state": str(state)}
    if verdict.withheld == "deadline":
        return overloaded("there was no time left for the partner; try again", beside)
    return Refused(code, message, retry_after=verdict.retry_after, beside=beside)
