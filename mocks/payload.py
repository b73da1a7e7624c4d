"""Reads fields out of a caller's payload, which may hold anything."""

from __future__ import annotations

from typing import Any, Literal

LONGEST = 500
_CONTROLS = frozenset(map(chr, (*range(32), *range(127, 160)))) - frozenset("\t\n\r")
"""Characters that no text has, and some databases cannot store; a message may have lines."""

Complaint = Literal["", "missing", "not a text", "too long"]


def text(payload: dict[str, Any], field: str) -> str:
    """The field's text, at most LONGEST characters; empty when it is missing or anything else."""
    value = payload.get(field)
    return value if isinstance(value, str) and len(value) <= LONGEST else ""


def complaint(payload: dict[str, Any], fields: tuple[str, ...]) -> tuple[str, Complaint]:
    """The first of `fields` that is not a text of 1 to LONGEST characters, and why not. A field
    called `name?` may be left out."""
    for name in fields:
        field = name.removesuffix("?")
        value = payload.get(field)
        if value is None or value == "":
            if field != name:
                continue
            return field, "missing"
        if not isinstance(value, str):
            return field, "not a text"
        if len(value) > LONGEST:
            return field, "too long"
        if not _CONTROLS.isdisjoint(value):
            return field, "not a text"
    return "", ""
