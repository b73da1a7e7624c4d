"""UnionPay card numbers: issuer by BIN, Luhn check digit (ISO/IEC 7812-1), masking."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from scenarios.data_files import read_table
from scenarios.population.weighted import Weighted

_DIGITS = b"0123456789"
_PLAIN = bytes.maketrans(_DIGITS, bytes(range(10)))
_DOUBLED = bytes.maketrans(_DIGITS, bytes([0, 2, 4, 6, 8, 1, 3, 5, 7, 9]))
_BIN = 6


class CardRange(msgspec.Struct, frozen=True):
    """Cards that begin with one BIN. `type`: debit or credit; `length`: digits of the number."""

    bin: str
    issuer: str
    type: str
    length: int

    @property
    def account_digits(self) -> int:
        """Digits between BIN and check digit."""
        return self.length - len(self.bin) - 1


def luhn_digit(payload: str) -> str:
    """The digit that completes `payload`.

    Raises ValueError unless `payload` is digits.
    """
    if not (payload.isascii() and payload.isdigit()):
        raise ValueError("the Luhn digit is taken of digits only")
    digits = payload.encode()
    total = sum(digits[-1::-2].translate(_DOUBLED)) + sum(digits[-2::-2].translate(_PLAIN))
    return str(-total % 10)


def is_luhn(text: str) -> bool:
    """Whether `text` is digits of which the last is the Luhn digit of the others."""
    return len(text) > 1 and text.isascii() and text.isdigit() and luhn_digit(text[:-1]) == text[-1]


def issuer_of(card_number: str) -> str | None:
    """The issuer's short code (`icbc`) by BIN, None for a BIN that `bins.csv` does not know."""
    known = card_ranges().get(card_number[:_BIN])
    return known.issuer if known else None


def masked(card_number: str) -> str:
    """BIN and last four digits, the most that PCI DSS 4 (3.4.1) lets be shown; all stars for what
    is too short to be a card number."""
    hidden = len(card_number) - _BIN - 4
    if hidden < 3:
        return "*" * len(card_number)
    return f"{card_number[:_BIN]}{'*' * hidden}{card_number[-4:]}"


@cache
def card_ranges() -> dict[str, CardRange]:
    """Known ranges by BIN, of `bins.csv`."""
    return {
        row["bin"]: CardRange(row["bin"], row["issuer"], row["type"], int(row["length"]))
        for row in read_table("scenarios.population", "bins.csv")
    }


@cache
def issuer_weights() -> dict[str, float]:
    """Default weight by issuer, of `issuers.csv`."""
    return {
        row["issuer"]: float(row["weight"])
        for row in read_table("scenarios.population", "issuers.csv")
    }


def debit_ranges(issuers: Mapping[str, float]) -> Weighted[CardRange]:
    """Debit card ranges, each with its part of the issuer's weight.

    Raises KeyError for an issuer that is not in `issuers.csv`.
    """
    debit: dict[str, list[CardRange]] = {issuer: [] for issuer in issuer_weights()}
    for known in card_ranges().values():
        if known.type == "debit":
            debit[known.issuer].append(known)
    return Weighted(
        {
            known: weight / len(debit[issuer])
            for issuer, weight in issuers.items()
            for known in debit[issuer]
        }
    )
