"""Reads fields out of a caller's payload, which may hold anything."""

from __future__ import annotations

from typing import Any

LONGEST = 500


def text(payload: dict[str, Any], field: str) -> str:
    """The field's text, at most LONGEST characters; empty when it is missing or anything else."""
    value = payload.get(field)
    return value if isinstance(value, str) and len(value) <= LONGEST else ""


def absent(payload: dict[str, Any], fields: tuple[str, ...]) -> str:
    """The first of `fields` that is missing or empty; empty when none is."""
    return next((field for field in fields if payload.get(field) in (None, "")), "")
