"""What a sweep varies: `fault.bank.duration=5s..120s`, `arrivals.rate=2/s..12/s:5:geometric`,
`lender.bank.attempts=1,2,4`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, Literal

import msgspec

from scenarios.plain_text import quoted
from scenarios.units import (
    exact_duration,
    exact_number,
    exact_rate,
    exact_share,
    format_duration,
    parse_number,
)

Kind = Literal["s", "/s", "share", "number", ""]
"""What the values count: seconds, per second, shares, plain numbers; empty for words."""

MOST = 200
"""Values of one dimension; a sweep of more says little that fewer do not."""

LONGEST = 10_000
"""Characters of what a sweep varies."""
_WHOLE = re.compile(r"-?[0-9]{1,18}")

_DIGITS = 4

_FORM = (
    "write path=from..to, such as fault.bank.duration=5s..120s (also :6 for six points,"
    " :geometric), or path=a,b,c"
)


class Dimension(msgspec.Struct, frozen=True, kw_only=True):
    """A path of the scenario, its values as people write them, and, unless they are words, the same
    as numbers in seconds, per second, or shares."""

    path: str
    values: tuple[Any, ...]
    numbers: tuple[float, ...] | None
    kind: Kind

    @property
    def labels(self) -> tuple[str, ...]:
        """The values for people."""
        return tuple(str(value) for value in self.values)


def parse_dimension(text: str, points: int) -> Dimension:
    """The dimension that `text` states; a range without a number of its own has `points` values.

    A range is evenly spaced, or `geometric`; of whole numbers it has whole numbers only. Raises
    ValueError, with what to write instead.
    """
    if len(text) > LONGEST:
        raise ValueError(f"{quoted(text)} has more than {LONGEST} characters; {_FORM}")
    path, equals, values = (part.strip() for part in text.partition("="))
    if not equals or not path or not values:
        raise ValueError(f"{quoted(text)} does not say what to vary; {_FORM}")
    if ".." in values:
        return _range(path, values, points)
    written = [_scalar(value.strip()) for value in values.split(",")]
    if len(written) > MOST:
        raise ValueError(f"{len(written)} values are too many; write {MOST} or fewer")
    if "" in values.split(",") or len(set(map(str, written))) < len(written):
        raise ValueError(f"{quoted(values)} has an empty or repeated value; write a,b,c")
    return _dimension(path, written)


def _range(path: str, text: str, points: int) -> Dimension:
    ends, *options = text.split(":")
    geometric = False
    for option in options:
        if _WHOLE.fullmatch(option):
            points = int(option)
        elif option in ("geometric", "linear"):
            geometric = option == "geometric"
        else:
            raise ValueError(f"{quoted(option)} is not a number of points or geometric; {_FORM}")
    if not 2 <= points <= MOST:
        raise ValueError(f"{points} points are not a range; write 2 to {MOST}")
    first, last = (end.strip() for end in ends.split("..", 1))
    (low, kind), (high, kind_of_last) = _number(first), _number(last)
    if kind != kind_of_last or not kind:
        raise ValueError(f"{quoted(first)} and {quoted(last)} are not two of one kind; {_FORM}")
    if geometric and (low <= 0 or high <= 0):
        raise ValueError(f"{ends} cannot be geometric; both ends must be above 0")
    numbers = [_between(low, high, Fraction(n, points - 1), geometric) for n in range(points)]
    if kind == "number" and _WHOLE.fullmatch(first) and _WHOLE.fullmatch(last):
        return _dimension(path, list(dict.fromkeys(round(number) for number in numbers)))
    ends_as_written = _end(first, low, kind), _end(last, high, kind)
    for digits in (_DIGITS, 8, 12):
        inner = [_written(number, kind, digits) for number in numbers[1:-1]]
        values = [ends_as_written[0], *inner, ends_as_written[1]]
        read = [_number(str(value))[0] for value in values]
        if read in (sorted(set(read)), sorted(set(read), reverse=True)):
            break
    return _dimension(path, list(dict.fromkeys(values)))


def _between(low: Fraction, high: Fraction, part: Fraction, geometric: bool) -> Fraction:
    if geometric and 0 < part < 1:
        share = float(part)
        return Fraction(math.exp(math.log(low) * (1 - share) + math.log(high) * share))
    return low * (1 - part) + high * part


def _dimension(path: str, values: list[Any]) -> Dimension:
    found = [_number(str(value)) for value in values]
    kinds = {kind for _, kind in found}
    if len(kinds) != 1 or "" in kinds:
        return Dimension(path=path, values=tuple(values), numbers=None, kind="")
    numbers = tuple(float(number) for number, _ in found)
    return Dimension(path=path, values=tuple(values), numbers=numbers, kind=kinds.pop())


_READ: tuple[tuple[Kind, Callable[[str], Fraction]], ...] = (
    ("number", exact_number),
    ("s", exact_duration),
    ("/s", exact_rate),
    ("share", exact_share),
)


def _number(text: str) -> tuple[Fraction, Kind]:
    for kind, read in _READ:
        try:
            return read(text), kind
        except ValueError:
            continue
    return Fraction(0), ""


def _end(text: str, number: Fraction, kind: Kind) -> Any:
    """An end of a range: as it was written where four digits do not say it."""
    short = _written(number, kind, _DIGITS)
    return short if _number(str(short))[0] == number else _scalar(text)


def _written(number: Fraction, kind: Kind, digits: int) -> Any:
    """The number as a scenario file has it, to so many digits."""
    match kind:
        case "s" if 0 < number < Fraction(1, 1000):
            return f"{_to(digits, number * 1000)}ms"
        case "s" if number < 10_000:
            return f"{_to(digits, number)}s"
        case "s":
            return format_duration(float(number))
        case "/s":
            return f"{_to(digits, number)}/s"
        case "share":
            return f"{_to(digits, number * 100)}%"
        case _:
            return float(_to(digits, number))


def _to(digits: int, number: Fraction) -> str:
    rounded = Context(prec=digits).divide(Decimal(number.numerator), Decimal(number.denominator))
    return f"{rounded.normalize():f}"


def _scalar(text: str) -> Any:
    """A value as a scenario file would read it: numbers and switches, unless in quotes."""
    if len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]:
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    if _WHOLE.fullmatch(text):
        return int(text)
    try:
        return parse_number(text)
    except ValueError:
        return text
