"""Masks personal data in what is kept for people to read: journals and logs.

Card numbers show BIN and last four digits (PCI DSS 4, 3.4.1), mobile numbers the first three and
last four, ID numbers their province, one-time codes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from scenarios.population import cards, phones
from scenarios.population.identity import is_valid_id_number

LONGEST = 1000
DEEPEST = 12
_CUT = "…"

_NUMBER = re.compile(r"(?<!\d)(?:\d{11,19}(?!\d)|\d{17}[Xx])", re.ASCII)
_SPACED = re.compile(
    r"(?<!\d)(?:\d{4}(?:[ -]\d{4}){3}(?:[ -]\d{1,3})?|1\d\d[ -]\d{4}[ -]\d{4})(?!\d)", re.ASCII
)
_DIGITS = re.compile(r"\d{4}", re.ASCII)
"""What every text has that any of the patterns above and below changes: the journal masks each
request before it is kept, and most of its texts have none."""
_CODE = re.compile(r"(?<!\d)\d{4,8}(?!\d)", re.ASCII)
_SPEAKS_OF_CODE = re.compile(
    r"验证码|校验码|动态码|one-time|verification code|\bOTP\b", re.IGNORECASE
)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_SMALLEST_NUMBER = 10**10


def mask_payload(payload: dict[str, Any]) -> dict[str, Any]:
    """A copy of `payload` with personal data masked, by field name and by the look of values.

    Values nested deeper than DEEPEST and texts beyond LONGEST characters are cut.
    """
    return {mask_text(str(key)): _mask(key, value, 1) for key, value in payload.items()}


def mask_text(text: str) -> str:
    """`text` with card numbers, ID numbers and mobile numbers masked, and also one-time codes if it
    speaks of one."""
    if _DIGITS.search(text) is None:
        return text if len(text) <= LONGEST else text[:LONGEST] + _CUT
    masked = _mask_message(text) if _SPEAKS_OF_CODE.search(text) else _mask_numbers(text)
    return masked if len(masked) <= LONGEST else masked[:LONGEST] + _CUT


def _mask(key: Any, value: Any, depth: int) -> Any:
    if type(value) is str:
        by_name = _BY_NAME.get(str(key).lower()) if value else None
        return mask_text(value) if by_name is None else by_name(value)
    if isinstance(value, dict | list | tuple) and depth >= DEEPEST:
        return _CUT
    if isinstance(value, dict):
        return {mask_text(str(k)): _mask(k, v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_mask(key, item, depth + 1) for item in value]
    if value is None or isinstance(value, bool | float) or value == "":
        return value
    by_name = _BY_NAME.get(str(key).lower())
    if by_name is not None:
        return by_name(str(value))
    if isinstance(value, int) and -_SMALLEST_NUMBER < value < _SMALLEST_NUMBER:
        return value
    text = value if isinstance(value, str) else str(value)
    masked = mask_text(text)
    return value if isinstance(value, int) and masked == text else masked


def _mask_numbers(text: str) -> str:
    return _NUMBER.sub(_mask_number, _SPACED.sub(_mask_number, text))


def _mask_number(match: re.Match[str]) -> str:
    text = match[0]
    digits = text.replace(" ", "").replace("-", "")
    if len(digits) == 18 and (not digits.isdigit() or is_valid_id_number(digits)):
        return _mask_id_number(digits)
    if len(digits) >= 15:
        return _mask_card(digits)
    country, phone = digits[:-11], digits[-11:]
    return country + phones.masked(phone) if phones.is_mobile(phone) else text


def _mask_card(text: str) -> str:
    return cards.masked(text) if text.isascii() and text.isdigit() else _hide(text)


def _mask_id_number(text: str) -> str:
    return text[:2] + _hide(text[2:])


def _mask_name(text: str) -> str:
    return text[0] + _hide(text[1:]) if _CHINESE.search(text) else mask_text(text)


def _mask_message(text: str) -> str:
    return _CODE.sub(lambda match: _hide(match[0]), _mask_numbers(text))[:LONGEST]


def _hide(text: str) -> str:
    return "*" * min(len(text), LONGEST)


_BY_NAME: dict[str, Callable[[str], str]] = {
    "card_number": _mask_card,
    "card_no": _mask_card,
    "pan": _mask_card,
    "id_number": _mask_id_number,
    "id_card": _mask_id_number,
    "phone": phones.masked,
    "mobile": phones.masked,
    "holder": _mask_name,
    "name": _mask_name,
    "otp": _hide,
    "sms_code": _hide,
    "text": _mask_message,
}
"""How the values of fields with these names are masked."""
