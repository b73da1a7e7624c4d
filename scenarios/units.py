"""Durations, rates and shares as people write them, and as numbers with one unit each.

What is written is read exactly, as a fraction, and rounded once: 99.9% is the number 0.999. Longer
texts than `LONGEST_WRITTEN` are refused before they are looked at, so that reading takes no longer
than the text is long.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
)

from scenarios.plain_text import quoted

LONGEST_WRITTEN = 400
"""Characters of a written number. The smallest floats take 330 in decimals."""
MOST_COUNTED = 10**9
"""Of anything that is counted, unless its field says less."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_SECONDS: dict[str, Fraction | int] = {
    "ms": Fraction(1, 1000),
    "s": 1,
    "m": 60,
    "h": 3600,
    "d": 86400,
}
_CLOCK = re.compile(r"(\d{1,4}):(\d\d)(?::(\d\d))?", re.ASCII)
_RATE = re.compile(r"(-?\d+(?:\.\d+)?)\s*/\s*(s|m|min|h|d)", re.ASCII)
_PER = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_PERCENT = re.compile(r"(-?\d+(?:\.\d+)?)\s*%", re.ASCII)
_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)


@dataclass(frozen=True)
class Form:
    """How people write a kind of number: its name, what to write, and the most that it can be, as
    a number and as it is written."""

    noun: str
    examples: str
    most: float
    most_written: str

    def refuse(self, value: object) -> ValueError:
        """The error for a value of another form."""
        return ValueError(f"{quoted(value)} is not {self.noun}; write {self.examples}")

    def text(self, written: str) -> str:
        """`written` without the space around it. Raises ValueError when it is too long."""
        if len(written) > LONGEST_WRITTEN:
            raise self.refuse(written)
        return written.strip()

    def bounded(self, number: Fraction, written: object) -> Fraction:
        """`number`. Raises ValueError, with the bound, when it is above the most there can be."""
        if number > self.most:
            shown = quoted(written).strip("'")
            raise ValueError(
                f"{shown} is above {self.most_written}; write {self.most_written} or less"
            )
        return number


DURATION = Form("a duration", "250ms, 30s, 5m, 2h or 1h30m", 3650 * 86400, "3650d")
AGE = Form("an age", "90d or 730d", 10**6 * 86400, "1000000d")
RATE = Form("a rate", "50/s, 600/m or 1000/h", 1e6, "1000000/s")
SHARE = Form("a share", "2% or 0.02", 1e6, "100000000%")
NUMBER = Form("a number", "0, 120 or 1.5", 1e15, "10^15")


# ── exactly ─────────────────────────────────────────────────────────────────────────────────────


def exact(number: float) -> Fraction:
    """The decimal that a finite `number` is printed as: 0.1 is a tenth."""
    return Fraction(repr(float(number)))


def exact_duration(text: str, form: Form = DURATION) -> Fraction:
    """Seconds of `"250ms"`, `"30s"`, `"1h30m"`.

    Raises ValueError, naming what is accepted, on anything else, and beyond what `form` can be.
    """
    compact = DURATION.text(text).replace(" ", "")
    total, position = Fraction(0), 0
    while match := _DURATION.match(compact, position):
        total += Fraction(match[1]) * _SECONDS[match[2]]
        position = match.end()
    if not compact or position != len(compact):
        raise _of_a_clock(compact) or DURATION.refuse(text)
    return form.bounded(total, text)


def _of_a_clock(text: str) -> ValueError | None:
    """The error for `20:00`, which some read as hours, some as minutes, and YAML as 1200."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    first, second, third = (int(part or 0) for part in match.groups())
    hours = _joined((first, "h"), (second, "m"), (third, "s"))
    if match[3] is not None:
        return ValueError(f"{quoted(text)} is not a duration; write {hours}")
    minutes = _joined((first, "m"), (second, "s"))
    if hours == minutes:
        return ValueError(f"{quoted(text)} is not a duration; write {hours}")
    return ValueError(
        f"{quoted(text)} is not a duration; write {hours} for hours and minutes, or {minutes} for"
        " minutes and seconds"
    )


def _joined(*parts: tuple[int, str]) -> str:
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0"


def exact_rate(text: str) -> Fraction:
    """Events per second of `"50/s"`, `"600/m"`, `"1000/h"`.

    Raises ValueError, naming what is accepted, on anything else.
    """
    match = _RATE.fullmatch(RATE.text(text))
    if match is None:
        raise RATE.refuse(text)
    return RATE.bounded(Fraction(match[1]) / _PER[match[2]], text)


def exact_share(text: str) -> Fraction:
    """A fraction of `"2%"` or `"0.02"`.

    Raises ValueError, naming what is accepted, on anything else.
    """
    written = SHARE.text(text)
    if match := _PERCENT.fullmatch(written):
        return SHARE.bounded(Fraction(match[1]) / 100, text)
    if _PLAIN.fullmatch(written) is None:
        raise SHARE.refuse(text)
    return SHARE.bounded(Fraction(written), text)


def exact_number(text: str) -> Fraction:
    """The plain number of `"120"` or `"1.5"`.

    Raises ValueError, naming what is accepted, on anything else.
    """
    written = NUMBER.text(text)
    if _PLAIN.fullmatch(written) is None:
        raise NUMBER.refuse(text)
    return NUMBER.bounded(Fraction(written), text)


# ── as floats ───────────────────────────────────────────────────────────────────────────────────


def parse_duration(text: str) -> float:
    """`exact_duration` as the nearest float."""
    return float(exact_duration(text))


def parse_age(text: str) -> float:
    """How long ago something was: a duration in seconds that may be longer than a run's."""
    return float(exact_duration(text, AGE))


def parse_rate(text: str) -> float:
    """`exact_rate` as the nearest float."""
    return float(exact_rate(text))


def parse_share(text: str) -> float:
    """`exact_share` as the nearest float."""
    return float(exact_share(text))


def parse_number(text: str) -> float:
    """`exact_number` as the nearest float."""
    return float(exact_number(text))


# ── in files ────────────────────────────────────────────────────────────────────────────────────

WRITTEN = {"written": True}
"""Validation context for files that people write: bare numbers for durations and rates are refused
there, while Python callers give seconds and per second."""


class OddNumber:
    """A number in a form that is read in different ways, or not by all: 20:00, 012, .inf."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


class Unitless(ValueError):
    """A number without a unit in a written file; `said` makes the message of how it was written."""

    def __init__(self, value: float, units: tuple[str, ...]) -> None:
        self._value = value
        self._units = units
        super().__init__(self.said(f"{value}"))

    def said(self, written: str) -> str:
        """The message for a number that the file has as `written`."""
        plain = f"{Decimal(repr(self._value)).normalize():f}"
        first, second, last = (f"{plain}{unit}" for unit in self._units)
        return f"{written} has no unit; write {first}, {second} or {last}"


def refuse_bare(value: Any, info: ValidationInfo, form: Form, units: tuple[str, ...]) -> None:
    """Raises ValueError, with the mend, on a number that is none of `form`, and on one without a
    unit in a written file."""
    if not isinstance(value, int | float) or isinstance(value, bool) or value == 0:
        return
    if isinstance(value, float) and not math.isfinite(value):
        raise form.refuse(value)
    if value < 0:
        raise ValueError(f"{quoted(value)} is below 0; write {form.examples}")
    if info.context and info.context.get("written"):
        raise Unitless(value, units)
    form.bounded(Fraction(value), value)


def _duration(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str | OddNumber):
        return parse_duration(str(value))
    refuse_bare(value, info, DURATION, ("s", "ms", "m"))
    return value


def _rate(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str | OddNumber):
        return parse_rate(str(value))
    refuse_bare(value, info, RATE, ("/s", "/m", "/h"))
    return value


def _share(value: Any) -> Any:
    return parse_share(str(value)) if isinstance(value, str | OddNumber) else value


def _most(most: int) -> AfterValidator:
    # Not `le`, which a field's own bound would not add to but be hidden by.
    def check(number: int | float) -> int | float:
        if abs(number) > most:
            raise ValueError(f"{quoted(number)} is above {most}; write {most} or less")
        return number

    return AfterValidator(check)


def _written(unit: str) -> PlainSerializer:
    # A resolved scenario is dumped as people write it, so that it loads again.
    return PlainSerializer(
        lambda number: f"{Decimal(repr(number)):f}{unit}", return_type=str, when_used="json"
    )


Seconds = Annotated[
    float,
    BeforeValidator(_duration),
    Field(ge=0, allow_inf_nan=False, strict=True),
    DURATION,
    _written("s"),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "pattern": r"^\s*([0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)\s*)+$",
            "maxLength": LONGEST_WRITTEN,
            "minimum": 0,
            "maximum": DURATION.most,
            "description": f"{DURATION.noun}: {DURATION.examples}",
        }
    ),
]
"""A duration in seconds, written with its unit: `30s`, `250ms`, `5m`."""

PerSecond = Annotated[
    float,
    BeforeValidator(_rate),
    Field(ge=0, allow_inf_nan=False, strict=True),
    RATE,
    _written("/s"),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*/\s*(s|m|min|h|d)\s*$",
            "maxLength": LONGEST_WRITTEN,
            "minimum": 0,
            "maximum": RATE.most,
            "description": f"{RATE.noun}: {RATE.examples}",
        }
    ),
]
"""A rate per second, written with its unit: `50/s`, `600/m`."""

Share = Annotated[
    float,
    BeforeValidator(_share),
    Field(ge=0, le=1, allow_inf_nan=False, strict=True),
    SHARE,
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "pattern": r"^\s*([0-9]+(\.[0-9]+)?\s*%"
            r"|[+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?)\s*$",
            "maxLength": LONGEST_WRITTEN,
            "minimum": 0,
            "maximum": 1,
            "description": f"{SHARE.noun}: {SHARE.examples}",
        }
    ),
]
"""A fraction from 0 to 1, also written `2%`."""


def beyond_one_whole(shares: Iterable[float]) -> str | None:
    """What is wrong with shares of one whole, and the mend; None when they add up to 1 or less."""
    total = sum(map(exact, shares), Fraction(0))
    if total <= 1:
        return None
    return f"the shares add up to {float(total * 100):.6g}%; write shares of 100% or less together"


Count = Annotated[int, Field(strict=True), _most(MOST_COUNTED)]
"""A whole number, of at most `MOST_COUNTED`; no switch, no text and no 2.0 stands for one."""

Number = Annotated[float, Field(strict=True, allow_inf_nan=False), _most(MOST_COUNTED)]
"""A plain number, of at most `MOST_COUNTED`; no switch and no text stands for one."""

Amount = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0), _most(10**15)]
"""Of money in fen, or of things in a month."""


def format_duration(seconds: float) -> str:
    """A short duration for people: `0`, `12ms`, `1.5s`, `2m5s`, `3h`."""
    if math.isinf(seconds):
        return "never"
    if seconds == 0:
        return "0"
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g}ms"
    if seconds < 60:
        return f"{seconds:.3g}s"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "m"), (left, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)
