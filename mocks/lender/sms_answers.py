"""What the SMS gateway's answers mean. Pure."""

from __future__ import annotations

from typing import Any

from mocks.lender.partner_fields import SmsReply, read_reply
from mocks.lender.policies.withheld import Withheld
from mocks.lender.refusal import Refused, overloaded
from mocks.world import GatewayAnswer
from scenarios.contract import ErrorCode

ACCEPTED = "OK"
LIMITED = "isv.BUSINESS_LIMIT_CONTROL"
RETRY_AFTER = 60
"""Seconds after which a number may be sent to again: one message a minute (FACTS: Aliyun)."""


def worth_repeating(answer: GatewayAnswer | None) -> bool:
    """Whether another attempt may fare better: no answer, throttled, or out of order."""
    return answer is None or answer.status == 429 or answer.status >= 500


def final_for_number(answer: GatewayAnswer) -> bool:
    """Whether another carrier would answer the same: accepted, or the number's limit is reached,
    which carriers share."""
    return read_reply(answer, SmsReply).Code in (ACCEPTED, LIMITED)


def sms_refusal(
    answer: GatewayAnswer | None, withheld: Withheld | None, beside: dict[str, Any]
) -> Refused | None:
    """The refusal that follows from the last attempt; None when the message was accepted."""
    if withheld is not None and withheld.policy == "deadline":
        return overloaded("there was no time left to send the code; ask for it again", beside)
    code = "" if answer is None else read_reply(answer, SmsReply).Code
    if code == LIMITED:
        return Refused(
            ErrorCode.SMS_LIMIT,
            "too many messages to this number",
            retry_after=RETRY_AFTER,
            beside=beside,
        )
    if worth_repeating(answer):
        return Refused(
            ErrorCode.SMS_UNAVAILABLE,
            "the code could not be sent; ask for it again",
            retry_after=0.0 if withheld is None else withheld.retry_after,
            beside=beside,
        )
    if code == ACCEPTED:
        return None
    return Refused(ErrorCode.SMS_REFUSED, "the message was refused", reason=code, beside=beside)
