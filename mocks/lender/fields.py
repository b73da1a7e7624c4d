"""The rules for each field of a request body, as a table."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mocks.lender.refusal import Refused
from scenarios.contract import ErrorCode
from scenarios.population.cards import is_luhn
from scenarios.population.identity import is_valid_id_number
from scenarios.population.name_form import is_name
from scenarios.population.phones import is_mobile

LONGEST = 200

_SHA256 = re.compile("[0-9a-f]{64}")


def _is_card_number(text: str) -> bool:
    # UnionPay: 62, 16 to 19 digits, Luhn.
    return 16 <= len(text) <= 19 and text.startswith("62") and is_luhn(text)


def _is_digest(text: str) -> bool:
    return _SHA256.fullmatch(text) is not None


_RULES: dict[str, tuple[Callable[[str], bool], str]] = {
    "name": (is_name, "2 to 50 letters, as on the ID card"),
    "holder": (is_name, "2 to 50 letters, as on the card"),
    "id_number": (is_valid_id_number, "18 characters by GB 11643, check digit included"),
    "phone": (is_mobile, "a mainland mobile number of 11 digits"),
    "card_number": (_is_card_number, "a UnionPay card number of 16 to 19 digits"),
    "sha256": (_is_digest, "64 hexadecimal digits in lower case"),
}


def text_field(body: dict[str, Any], field: str) -> str:
    """The value of `field`, which must be a text that follows its rule. Raises Refused."""
    value = body.get(field)
    rule, wanted = _RULES.get(field, (bool, "a text"))
    if isinstance(value, str) and 0 < len(value) <= LONGEST and rule(value):
        return value
    # The value itself stays out of the message: it may be somebody's.
    raise Refused(ErrorCode.INVALID_FIELD, f"{field} must be {wanted}", field=field)
