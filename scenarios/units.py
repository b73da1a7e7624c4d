"""Durations, rates and shares as people write them, and as numbers with one unit each."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, ValidationInfo, WithJsonSchema

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_RATE = re.compile(r"(-?\d+(?:\.\d+)?)\s*/\s*(s|m|min|h|d)")
_PER = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_PERCENT = re.compile(r"(-?\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True)
class Form:
    """How people write a kind of number: its name, and what to write."""

    noun: str
    examples: str

    def refuse(self, value: object) -> ValueError:
        """The error for a value of another form."""
        return ValueError(f"{value!r} is not {self.noun}; write {self.examples}")


DURATION = Form("a duration", "250ms, 30s, 5m, 2h or 1h30m")
RATE = Form("a rate", "50/s, 600/m or 1000/h")
SHARE = Form("a share", "2% or 0.02")
NUMBER = Form("a number", "0, 120 or 1.5")


def parse_duration(text: str) -> float:
    """Seconds of `"250ms"`, `"30s"`, `"1h30m"`.

    Raises ValueError, naming what is accepted, on anything else.
    """
    compact = text.strip().replace(" ", "")
    total, position = 0.0, 0
    for match in _DURATION.finditer(compact):
        if match.start() != position:
            break
        total += float(match[1]) * _SECONDS[match[2]]
        position = match.end()
    if not compact or position != len(compact):
        raise DURATION.refuse(text)
    return total


def parse_rate(text: str) -> float:
    """Events per second of `"50/s"`, `"600/m"`, `"1000/h"`.

    Raises ValueError, naming what is accepted, on anything else.
    """
    match = _RATE.fullmatch(text.strip())
    if match is None:
        raise RATE.refuse(text)
    return float(match[1]) / _PER[match[2]]


def parse_share(text: str) -> float:
    """A fraction of `"2%"` or `"0.02"`.

    Raises ValueError, naming what is accepted, on anything else.
    """
    match = _PERCENT.fullmatch(text.strip())
    if match is not None:
        return float(match[1]) / 100
    try:
        fraction = float(text)
    except ValueError:
        raise SHARE.refuse(text) from None
    if not math.isfinite(fraction):
        raise SHARE.refuse(text)
    return fraction


def parse_number(text: str) -> float:
    """The plain number of `"120"` or `"1.5"`.

    Raises ValueError, naming what is accepted, on anything else.
    """
    try:
        number = float(text)
    except ValueError:
        raise NUMBER.refuse(text) from None
    if not math.isfinite(number):
        raise NUMBER.refuse(text)
    return number


WRITTEN = {"written": True}
"""Validation context for files that people write: bare numbers for durations and rates are refused
there, while Python callers give seconds and per second."""


def refuse_bare(value: Any, info: ValidationInfo, form: Form, units: tuple[str, ...]) -> None:
    """Raises ValueError, with the mend, on a number without a unit in a written file."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or value == 0 or not (info.context and info.context.get("written")):
        return
    if value < 0:
        raise ValueError(f"{value} is below 0; write {form.examples}")
    first, second, last = (f"{value}{unit}" for unit in units)
    raise ValueError(f"{value} has no unit; write {first}, {second} or {last}")


def _duration(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str):
        return parse_duration(value)
    refuse_bare(value, info, DURATION, ("s", "ms", "m"))
    return value


def _rate(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str):
        return parse_rate(value)
    refuse_bare(value, info, RATE, ("/s", "/m", "/h"))
    return value


def _share(value: Any) -> Any:
    return parse_share(value) if isinstance(value, str) else value


def _written(unit: str) -> PlainSerializer:
    # A resolved scenario is dumped as people write it, so that it loads again.
    return PlainSerializer(
        lambda number: f"{Decimal(repr(number)):f}{unit}", return_type=str, when_used="json"
    )


Seconds = Annotated[
    float,
    BeforeValidator(_duration),
    Field(ge=0, allow_inf_nan=False),
    DURATION,
    _written("s"),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "pattern": r"^\s*(\d+(\.\d+)?\s*(ms|s|m|h|d)\s*)+$",
            "minimum": 0,
            "description": f"{DURATION.noun}: {DURATION.examples}",
        }
    ),
]
"""A duration in seconds, written with its unit: `30s`, `250ms`, `5m`."""

PerSecond = Annotated[
    float,
    BeforeValidator(_rate),
    Field(ge=0, allow_inf_nan=False),
    RATE,
    _written("/s"),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "pattern": r"^\s*\d+(\.\d+)?\s*/\s*(s|m|min|h|d)\s*$",
            "minimum": 0,
            "description": f"{RATE.noun}: {RATE.examples}",
        }
    ),
]
"""A rate per second, written with its unit: `50/s`, `600/m`."""

Share = Annotated[
    float,
    BeforeValidator(_share),
    Field(ge=0, le=1, allow_inf_nan=False),
    SHARE,
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "pattern": r"^\s*(\d+(\.\d+)?\s*%|\d*\.?\d+)\s*$",
            "minimum": 0,
            "maximum": 1,
            "description": f"{SHARE.noun}: {SHARE.examples}",
        }
    ),
]
"""A fraction from 0 to 1, also written `2%`."""


def format_duration(seconds: float) -> str:
    """A short duration for people: `0`, `12ms`, `1.5s`, `2m5s`, `3h`."""
    if math.isinf(seconds):
        return "never"
    if seconds == 0:
        return "0"
    if seconds < 1:
        return f"{seconds * 1000:.3g}ms"
    if seconds < 60:
        return f"{seconds:.3g}s"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "m"), (left, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)
