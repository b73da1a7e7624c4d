"""Numbers as files keep them and as people read them."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Context, Decimal
from fractions import Fraction
from typing import Literal

from scenarios.units import exact_duration, exact_number, exact_rate, exact_share, format_duration

Unit = Literal["s", "share", "/s", "count", "number"]
"""What a metric is counted in; shares go from 0 to 1."""

MISSING = "–"
"""Shown where there is no value."""


def significant(value: float, digits: int = 6) -> float:
    """`value` to so many significant digits, so that files do not carry rounding noise."""
    if value == 0 or not math.isfinite(value):
        return value
    return float(f"{value:.{digits}g}")


def shown(value: float | None, unit: Unit) -> str:
    """A value for people: `412 ms`, `97.1 %`, `18.4/s`, `1,204`; a dash when there is none."""
    if value is None or not math.isfinite(value):
        return MISSING
    match unit:
        case "s":
            return _seconds(value)
        case "share":
            return f"{_plain(value * 100)} %"
        case "/s":
            return f"{_plain(value)}/s"
        case "count":
            return f"{value:,.0f}"
        case "number":
            return _plain(value)


def shown_until(value: float, unit: Unit, agrees: Callable[[Fraction], bool]) -> str:
    """A value for people, as `shown`, or with as many digits more as it takes until what they read
    `agrees`: 99.89996 % is not shown as 99.9 % beside a limit of 99.9 %."""
    usual = shown(value, unit)
    if not math.isfinite(value):
        return usual
    texts = [usual, *(_to_digits(value, unit, digits) for digits in range(4, 18))]
    return next((text for text in texts if _reads(text, unit, agrees)), usual)


def _reads(text: str, unit: Unit, agrees: Callable[[Fraction], bool]) -> bool:
    try:
        return agrees(_READ[unit](text.replace(",", "")))
    except ValueError:  # an exponent, which nobody compares at a glance
        return False


_READ: dict[Unit, Callable[[str], Fraction]] = {
    "s": exact_duration,
    "share": exact_share,
    "/s": exact_rate,
    "count": exact_number,
    "number": exact_number,
}


def _to_digits(value: float, unit: Unit, digits: int) -> str:
    short = unit == "s" and abs(value) < 1
    scale, after = {"share": (100, " %"), "/s": (1, "/s")}.get(
        unit, (1000, " ms") if short else (1, " s") if unit == "s" else (1, "")
    )
    number = Context(prec=digits).create_decimal(Decimal(repr(float(value))) * scale)
    text = f"{number:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}{after}"


def shown_error(error: float | None) -> str:
    """A relative error with its sign: `+3.1 %`; a dash when there is none."""
    if error is None or not math.isfinite(error):
        return MISSING
    return f"{error * 100:+.1f} %"


def _seconds(value: float) -> str:
    if value < 0:
        return f"-{_seconds(-value)}"
    if value == 0:
        return "0 s"
    if value < 0.001:
        return f"{value * 1000:.2g} ms"
    if value < 0.9995:
        return f"{value * 1000:.3g} ms"
    if value < 60:
        return f"{value:.3g} s"
    return format_duration(value)


def _plain(value: float) -> str:
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 100:
        return f"{value:.1f}".removesuffix(".0")
    if size >= 0.01 or size == 0:
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{value:.2g}"
