"""Resident identity numbers: GB 11643-1999. Needs nothing but the standard library.

A number has 18 characters: a six-digit GB/T 2260 region, the birth date, a three-digit sequence
(odd for men, even for women) and an ISO 7064 MOD 11-2 check character, 0 to 9 or X.
"""

from __future__ import annotations

import re
from datetime import date

REFERENCE_DATE = date(2026, 1, 1)
"""The day on which the population's ages count, whenever a scenario is run, so that runs repeat."""

_CHECK = "10X98765432"
_FORM = re.compile(
    r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])[0-9]{4}"
    r"([0-9]{4})([0-9]{2})([0-9]{2})[0-9]{3}[0-9X]"
)


def check_digit(first17: str) -> str:
    """The check character of the first 17 digits.

    Raises ValueError unless `first17` is 17 digits.
    """
    if len(first17) != 17 or not (first17.isascii() and first17.isdigit()):
        raise ValueError("the check digit is taken of 17 digits")
    # The weights 7 9 10 5 8 4 2 1 6 3 7 9 10 5 8 4 2 are 2**17 to 2**1 modulo 11, and so are the
    # powers of 13: read in base 13 and doubled, the digits are the weighted sum.
    return _CHECK[2 * int(first17, 13) % 11]


def is_valid_id_number(text: str, on: date | None = None) -> bool:
    """Whether `text` is a well-formed number: province, date of birth and check character agree.

    With `on`, nobody is born after that day.
    """
    match = _FORM.fullmatch(text)
    if match is None or check_digit(text[:17]) != text[17]:
        return False
    try:
        born = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return False
    return on is None or born <= on


def birth_date(text: str) -> date:
    """The date of birth in an ID number.

    Raises ValueError when characters 7 to 14 are not a date.
    """
    digits = text[6:14]
    if len(digits) != 8 or not (digits.isascii() and digits.isdigit()):
        raise ValueError("characters 7 to 14 of an ID number are the birth date, YYYYMMDD")
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))


def age_on(text: str, day: date) -> int:
    """Full years of the holder on `day`; negative before birth.

    Raises ValueError as `birth_date` does.
    """
    born = birth_date(text)
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
