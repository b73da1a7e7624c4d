"""Numbers as files keep them and as people read them."""

from __future__ import annotations

import math
from typing import Literal

from scenarios.units import format_duration

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
