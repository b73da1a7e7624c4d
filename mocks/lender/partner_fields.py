"""What partners may say: the fields of their answers and callbacks that the lender uses, typed.

An answer that does not fit says nothing: its outcome is unknown, and is asked for. A callback that
does not fit is refused. Fields that are not named here are never looked at.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from mocks.world import GatewayAnswer

AMOUNT_FEN = 1
"""The test payment, and its refund."""

OrderNo = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{0,64}\Z")]
_RespCode = Annotated[str, Meta(pattern=r"\A[A-Z0-9]{0,2}\Z")]
AgreementNo = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{0,64}\Z")]
_Word = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.-]{0,60}\Z")]


class BankReply(msgspec.Struct, frozen=True):
    """The bank's answer to `open`, `query` and `terminate`."""

    respCode: _RespCode = ""  # as UnionPay spells it
    origRespCode: _RespCode = ""
    order_no: OrderNo = ""
    agreement_no: AgreementNo = ""


class PaymentReply(msgspec.Struct, frozen=True):
    """The payment gateway's answer to `charge`, `refund` and `query`."""

    code: _Word = ""
    order_no: OrderNo = ""
    trade_state: _Word = ""
    reason: _Word = ""
    amount_fen: int | None = None


class SmsReply(msgspec.Struct, frozen=True):
    """The SMS gateway's answer to `send`."""

    Code: _Word = ""


class SmsReport(msgspec.Struct, frozen=True):
    """The SMS gateway's callback about the message `out_id`: `<binding>-<number>`."""

    out_id: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}-[1-9][0-9]{0,3}\Z")]
    status: Annotated[str, Meta(pattern=r"\A[A-Z]{1,20}\Z")]


class PaymentNotice(msgspec.Struct, frozen=True):
    """The payment gateway's callback about an order."""

    order_no: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]
    trade_state: Literal["SUCCESS", "FAILED", "PROCESSING"]
    amount_fen: Literal[1]  # AMOUNT_FEN: an order of ours has no other
    reason: _Word = ""
    currency: Literal["CNY"] = "CNY"


CALLBACKS: dict[str, type[SmsReport] | type[PaymentNotice]] = {
    "sms_report": SmsReport,
    "payment_notify": PaymentNotice,
}

R = TypeVar("R", BankReply, PaymentReply, SmsReply)


def read_reply(answer: GatewayAnswer, kind: type[R]) -> R:
    """The answer's fields; none of them when one does not fit. A redirect is nobody's answer."""
    if 300 <= answer.status < 400:
        return kind()
    try:
        return msgspec.convert(answer.body, kind)
    except msgspec.ValidationError:
        return kind()


def read_callback(op: str, body: dict[str, Any]) -> SmsReport | PaymentNotice | None:
    """The callback's fields; None when they do not fit, or nobody calls back so."""
    kind = CALLBACKS.get(op)
    if kind is None:
        return None
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError:
        return None
