"""What a sweep varies: `fault.bank.duration=5s..120s`, `arrivals.rate=2/s..12/s:5:geometric`,
`lender.bank.attempts=1,2,4`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from scenarios.units import format_duration, parse_duration, parse_rate, parse_share

Kind = Literal["s", "/s", "share", "number", ""]
"""What the values count: seconds, per second, shares, plain numbers; empty for words."""

MOST = 200
"""Values of one dimension; a sweep of more says little that fewer do not."""

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
    path, equals, values = (part.strip() for part in text.partition("="))
    if not equals or not path or not values:
        raise ValueError(f"{text!r} does not say what to vary; {_FORM}")
    if ".." in values:
        return _range(path, values, points)
    written = [_scalar(value.strip()) for value in values.split(",")]
    if "" in values.split(",") or len(set(map(str, written))) < len(written):
        raise ValueError(f"{values!r} has an empty or repeated value; write a,b,c")
    return _dimension(path, written)


def _range(path: str, text: str, points: int) -> Dimension:
    ends, *options = text.split(":")
    geometric = False
    for option in options:
        if option.isdecimal():
            points = int(option)
        elif option in ("geometric", "linear"):
            geometric = option == "geometric"
        else:
            raise ValueError(f"{option!r} is not a number of points or geometric; {_FORM}")
    if not 2 <= points <= MOST:
        raise ValueError(f"{points} points are not a range; write 2 to {MOST}")
    first, last = (end.strip() for end in ends.split("..", 1))
    (low, kind), (high, kind_of_last) = _number(first), _number(last)
    if kind != kind_of_last or not kind:
        raise ValueError(f"{first!r} and {last!r} are not two of one kind; {_FORM}")
    if geometric and (low <= 0 or high <= 0):
        raise ValueError(f"{ends} cannot be geometric; both ends must be above 0")
    numbers = [_between(low, high, n / (points - 1), geometric) for n in range(points)]
    if kind == "number" and first.lstrip("-").isdecimal() and last.lstrip("-").isdecimal():
        return _dimension(path, list(dict.fromkeys(round(number) for number in numbers)))
    return _dimension(path, list(dict.fromkeys(_written(number, kind) for number in numbers)))


def _between(low: float, high: float, part: float, geometric: bool) -> float:
    if geometric:
        return math.exp(math.log(low) * (1 - part) + math.log(high) * part)
    return low * (1 - part) + high * part


def _dimension(path: str, values: list[Any]) -> Dimension:
    found = [_number(str(value)) for value in values]
    kinds = {kind for _, kind in found}
    if len(kinds) != 1 or "" in kinds:
        return Dimension(path=path, values=tuple(values), numbers=None, kind="")
    numbers = tuple(number for number, _ in found)
    return Dimension(path=path, values=tuple(values), numbers=numbers, kind=kinds.pop())


_READ: tuple[tuple[Kind, Callable[[str], float]], ...] = (
    ("number", float),
    ("s", parse_duration),
    ("/s", parse_rate),
    ("share", parse_share),
)


def _number(text: str) -> tuple[float, Kind]:
    for kind, parse in _READ:
        try:
            number = parse(text)
        except ValueError:
            continue
        if math.isfinite(number):
            return number, kind
    return 0.0, ""


def _written(number: float, kind: Kind) -> Any:
    """The number as a scenario file has it, to four digits."""
    match kind:
        case "s":
            return f"{number:.4g}s" if 0.001 <= number < 1e4 else format_duration(number)
        case "/s":
            return f"{number:.4g}/s"
        case "share":
            return f"{number * 100:.4g}%"
        case _:
            return float(f"{number:.4g}")


def _scalar(text: str) -> Any:
    """A value as a scenario file would read it: numbers and switches, unless in quotes."""
    if len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]:
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
