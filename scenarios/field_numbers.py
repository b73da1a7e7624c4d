"""Numbers as Grafana, Prometheus and Excel write them: `1,200`, `1.234,56`, `1.2 K`, `1.25 mins`,
`12 %`, `300 req/s`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Literal, NoReturn

import msgspec

from scenarios.plain_text import SHOWN, quoted

Mark = Literal[".", ","]
"""What stands before the decimals."""

LONGEST = 60
"""Characters that a number, or a time, may have."""

_SPACES = "\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000"
_FOLDED = str.maketrans(
    {
        **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},  # full width
        **dict.fromkeys(_SPACES, " "),
        **dict.fromkeys("\u2010\u2011\u2212", "-"),
        **dict.fromkeys("\u2019\u02bc", "'"),
        **dict.fromkeys("\u200b\u200e\u200f\ufeff"),  # seen by nobody
        "\u03bc": "\u00b5",  # Greek mu, which Unicode prefers to the micro sign
    }
)
_NOT_RECORDED = frozenset(
    ("", "nan", "null", "-", "–", "—", "undefined", "none", "n/a", "na", "#n/a", "no data")
)

_NUMBER = re.compile(r"([+-]?)([0-9][0-9., ']*|[.,][0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
_GROUPED = {
    mark: re.compile(
        rf"[0-9]{{1,3}}(?:([{group} '])[0-9]{{3}})(?:\1[0-9]{{3}})*(?:[{mark}][0-9]*)?"
    )
    for mark, group in ((".", ","), (",", "."))
}
_PLAIN = {mark: re.compile(rf"[0-9]+[{mark}]?[0-9]*|[{mark}][0-9]+") for mark in (".", ",")}
_UNIT = re.compile(r"[^0-9:+\-]*")

_COUNTS = {
    "": 1.0,
    **dict.fromkeys(("k", "K"), 1e3),
    **dict.fromkeys(("M", "Mil", "mil"), 1e6),
    **dict.fromkeys(("G", "B", "Bil", "bil"), 1e9),
    **dict.fromkeys(("T", "Tri", "tri"), 1e12),
    "万": 1e4,
    "亿": 1e8,
}
_COUNT = "|".join(sorted(filter(None, _COUNTS), key=len, reverse=True))
_NAMED = r"(?i:reqs?|ops?|c|rd|wr|io|evts?|events?|msgs?|rec|rows?|tx|customers?|bindings?)"
_RATE = re.compile(
    rf"({_COUNT})?\s*{_NAMED}?\s*(?:/|(?i:per))\s*((?i:s|secs?|seconds?|m|mins?|minutes?|h|hours?))"
)
_SHORT_RATE = re.compile(rf"({_COUNT})?\s*(?i:[rqtce]p|op)((?i:s|m|h))")
_PER_MINUTE = {"s": 60.0, "m": 1.0, "h": 1 / 60}
_MILLISECONDS = {
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), 1e-6),
    **dict.fromkeys(("µs", "us", "microsecond", "microseconds"), 1e-3),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1.0),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1e3),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 6e4),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3.6e6),
    **dict.fromkeys(("d", "day", "days"), 8.64e7),
    **dict.fromkeys(("w", "week", "weeks"), 6.048e8),
}
_A_NUMBER = "a number; write one such as 120000"
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([a-zµ]+),? *", re.IGNORECASE)
_ROUNDING = 1e-9
"""How far a share may lie outside 0 to 1: the ratio of two sums of floats does."""


def folded(text: str) -> str:
    """`text` trimmed, with ordinary digits, spaces, signs and apostrophes."""
    return text.translate(_FOLDED).strip()


def is_missing(text: str) -> bool:
    """Whether a folded cell says that nothing was recorded."""
    return text.lower() in _NOT_RECORDED


def shown_name(name: str) -> str:
    """A column's name as messages tell it: as it is, or like a cell if that is long or not text."""
    return name if name.isprintable() and len(name) <= SHOWN else quoted(name)


def mark_of(text: str) -> Mark | Literal["", "?"]:
    """Which decimal mark a folded cell shows: `0,5` a comma, `1,234.5` and `1,234,567` a point;
    empty where it shows none, `?` where it may be either, as in `1,200`."""
    found = _NUMBER.match(text) if len(text) <= LONGEST else None
    if found is None or not _UNIT.fullmatch(text, found.end()):
        return ""
    digits = found[2].rstrip()
    marks = [character for character in digits if character in ".,"]
    if not marks:
        return ""
    last: Mark = "." if marks[-1] == "." else ","
    other: Mark = "," if last == "." else "."
    if len(marks) > 1:
        wanted = other if len(set(marks)) == 1 else last
        return wanted if _GROUPED[wanted].fullmatch(digits) else ""
    grouped = _GROUPED[other].fullmatch(digits) and not digits.startswith("0") and not found[3]
    return "?" if grouped else last


class Numerals(msgspec.Struct, frozen=True):
    """How the numbers of a file are written: `mark` stands before the decimals. Every method takes
    a folded cell, and raises ValueError that says what to write on what it cannot read."""

    mark: Mark = "."

    def number(self, text: str) -> float:
        """A plain number or a count: `312`, `1,200`, `1.2 K`, `3 Mil`, `447万`."""
        value, unit = self._split(text)
        if unit not in _COUNTS:
            _refuse(text, _A_NUMBER)
        return self._finite(value * _COUNTS[unit], text, _A_NUMBER)

    def per_minute(self, text: str) -> float:
        """A number a minute, or with its unit: `300`, `5 req/s`, `1.2K reqs/s`, `300 rpm`."""
        value, unit = self._split(text)
        factor = _COUNTS.get(unit)
        if factor is None:
            rate = _RATE.fullmatch(unit) or _SHORT_RATE.fullmatch(unit)
            if rate is None:
                _refuse(text, "a number; write one such as 312, or 5.2 req/s")
            factor = _COUNTS[rate[1] or ""] * _PER_MINUTE[rate[2][0].lower()]
        return self._finite(value * factor, text, "a number; write one such as 312")

    def milliseconds(self, text: str) -> float:
        """A latency: `120`, `120 ms`, `1.25 mins`, `850 µs`, `1m30s`, `1 minute, 15 seconds`."""
        mend = "a latency; write milliseconds, such as 120, or 1.2 s"
        if text.lower() in ("inf", "+inf", "∞"):
            _refuse(text, "a latency: it lies beyond the histogram's last bucket; write its bound")
        if (compound := _compound(text)) is not None:
            return compound
        value, unit = self._split(text)
        factor = _COUNTS.get(unit) or _MILLISECONDS.get(unit.lower())
        if factor is None:
            _refuse(text, mend)
        return self._finite(value * factor, text, mend)

    def share(self, text: str) -> float:
        """A share from 0 to 1: `0.02`, `2%`, `2 %`."""
        value, unit = self._split(text)
        if unit not in ("", "%") or not math.isfinite(value):
            _refuse(text, "a share; write 0.02, or 2%")
        share = value / 100 if unit else value
        if not -_ROUNDING <= share <= 1 + _ROUNDING:
            raise ValueError(f"{text} is not from 0 to 1; write a share such as 0.02, or 2%")
        return min(1.0, max(0.0, share))

    def _split(self, text: str) -> tuple[float, str]:
        """The value, NaN where there is none, and what stands after it."""
        found = _NUMBER.match(text) if len(text) <= LONGEST else None
        if found is None:
            return math.nan, ""
        digits = found[2].rstrip()
        if _GROUPED[self.mark].fullmatch(digits):
            digits = re.sub(r"[ ']", "", digits).replace("," if self.mark == "." else ".", "")
        elif not _PLAIN[self.mark].fullmatch(digits):
            return math.nan, ""
        number = float(f"{found[1]}{digits.replace(self.mark, '.')}{found[3] or ''}")
        return number, text[found.end() :].strip()

    @staticmethod
    def _finite(value: float, text: str, what: str) -> float:
        if not math.isfinite(value):
            _refuse(text, what)
        return value


def numerals_of(cells: Iterable[str], otherwise: Mark | None) -> Numerals | str:
    """How the numbers of a file are written, by all its folded `cells` together.

    Where every mark may be either, as in `1,200`, it is `otherwise`; with None the first such cell
    is returned. So is a cell that does not agree with the ones before it.
    """
    mark: str = ""
    doubtful: str | None = None
    for cell in cells:
        found = mark_of(cell)
        if found == "?":
            doubtful = cell if doubtful is None else doubtful
        elif found and mark and found != mark:
            return cell
        else:
            mark = found or mark
    if not mark and doubtful is not None and otherwise is None:
        return doubtful
    return Numerals("," if (mark or otherwise) == "," else ".")


def _compound(text: str) -> float | None:
    """Milliseconds of several numbers with units, the larger first; None if it is not that."""
    if len(text) > LONGEST:
        return None
    total, position, parts, before = 0.0, 0, 0, math.inf
    for part in _PART.finditer(text):
        unit = _MILLISECONDS.get(part[2].lower())
        if part.start() != position or unit is None or unit >= before:
            return None
        total += float(part[1]) * unit
        position, parts, before = part.end(), parts + 1, unit
    return total if parts > 1 and position == len(text) else None


def _refuse(text: str, what: str) -> NoReturn:
    raise ValueError(f"{quoted(text)} is not {what}")
