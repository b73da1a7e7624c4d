"""Amounts of data as people write them, `500GB` or `64MiB`, and as bytes."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from scenarios.units import Form, OddNumber

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?B|[KMGT]iB)", re.ASCII)
_POWER = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}

SIZE = Form("an amount of data", "20MB, 500GB, 2TB or 64MiB", 1e15, "1000TB")


def parse_size(text: str) -> int:
    """Bytes of `"500GB"` (10^9 each) or `"64MiB"` (2^20 each).

    Raises ValueError, naming what is accepted, on anything else.
    """
    match = _SIZE.fullmatch(SIZE.text(text))
    if match is None:
        raise SIZE.refuse(text)
    unit = match[2]
    base = 1024 if unit.endswith("iB") else 1000
    return round(SIZE.bounded(Fraction(match[1]) * base ** _POWER[unit.rstrip("iB")], text))


def format_size(size: float) -> str:
    """A short amount of data for people: `48 MB`, `500 GB`."""
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.4g} TB"


def _bytes(value: Any) -> Any:
    return parse_size(str(value)) if isinstance(value, str | OddNumber) else value


Bytes = Annotated[
    float,
    BeforeValidator(_bytes),
    Field(ge=0, le=SIZE.most, allow_inf_nan=False, strict=True),
    PlainSerializer(lambda size: f"{round(size)}B", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "description": f"{SIZE.noun}: {SIZE.examples}"}),
]
"""An amount of data in bytes, written with its unit."""
