"""The form of people's names, by ranges of characters of our own (`name_characters.csv`)."""

from __future__ import annotations

from bisect import bisect_right
from functools import cache

from scenarios.data_files import read_table

SHORTEST, LONGEST = 2, 50
"""Characters."""


def is_name(text: str) -> bool:
    """Whether `text` can be a name on an ID or bank card: SHORTEST to LONGEST letters of Chinese or
    Latin script, with joints between them; it begins with a letter and does not end in a space."""
    return (
        SHORTEST <= len(text) <= LONGEST
        and _kind(text[0]) == "letter"
        and not text.endswith(" ")
        and all(_kind(character) for character in text)
    )


def _kind(character: str) -> str:
    """`letter`, `joint`, or empty for what is in no name."""
    firsts, ranges = _ranges()
    point = ord(character)
    at = bisect_right(firsts, point) - 1
    last, kind = ranges[at]
    return kind if at >= 0 and point <= last else ""


@cache
def _ranges() -> tuple[list[int], list[tuple[int, str]]]:
    """The first code points in order, and each range's last one and kind."""
    rows = sorted(
        (int(row["first"], 16), int(row["last"], 16), row["kind"])
        for row in read_table("scenarios.population", "name_characters.csv")
    )
    return [first for first, _, _ in rows], [(last, kind) for _, last, kind in rows]
