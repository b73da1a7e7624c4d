"""The last look before something goes into the pack: no personal number and no password in clear.

A drill masks what it records. This holds also where a command or an error text slipped through.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from scenarios.passwords import without_secrets
from scenarios.population import cards, phones
from scenarios.population.identity import is_valid_id_number

_NUMBER = re.compile(r"(?<![0-9A-Za-z])\d(?:[ -]?\d){10,18}[Xx]?(?![0-9A-Za-z])", re.ASCII)

Record = TypeVar("Record", bound=msgspec.Struct)


def private(text: str) -> str:
    """`text` with card, ID and mobile numbers masked and passwords replaced by stars."""
    return _NUMBER.sub(_masked, without_secrets(text))


def _masked(match: re.Match[str]) -> str:
    digits = re.sub("[ -]", "", match[0])
    if len(digits) == 18 and is_valid_id_number(digits):
        return digits[:2] + "*" * 16
    if cards.is_luhn(digits) and len(digits) >= 13:
        return cards.masked(digits)
    return phones.masked(digits) if phones.is_mobile(digits) else match[0]


def cleaned(record: Record) -> Record:
    """A copy of a record with `private` applied to every text in it."""
    return msgspec.convert(_clean(msgspec.to_builtins(record)), type(record))


def _clean(value: object) -> object:
    if isinstance(value, str):
        return private(value)
    if isinstance(value, dict):
        return {key: _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value
