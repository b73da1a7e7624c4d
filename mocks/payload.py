"""Reads fields out of a caller's payload, which may hold anything."""

from __future__ import annotations

from typing import Any, Literal

LONGEST = 500

Complaint = Literal["", "missing", "not a text", "too long"]


def text(payload: dict[str, Any], field: str) -> str:
    """The field's text, at most LONGEST characters; empty when it is missing or anything else."""
    value = payload.get(field)
    return value if isinstance(value, str) and len(value) <= LONGEST else ""


def complaint(payload: dict[str, Any], fields: tuple[str, ...]) -> tuple[str, Complaint]:
    """The first of `fields` that is not a text of 1 to LONGEST characters, and why not."""
    for field in fields:
        value = payload.get(field)
        if value is None or value == "":
            return field, "missing"
        if not isinstance(value, str):
            return field, "not a text"
        if len(value) > LONGEST:
            return field, "too long"
    return "", ""
