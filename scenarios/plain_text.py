"""Text that people write into files: how a message quotes it, and what a name may hold."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

SHOWN = 60
"""Characters of a text that a message quotes; more are cut."""
LONGEST_LINE = 200
LONGEST_PARAGRAPH = 20_000

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Controls that turn the direction of text, so that it reads as what it is not."""
_BREAKS = frozenset("\u0085\u2028\u2029")
_INVISIBLE = frozenset("\ufeff")
LONGEST_NAME = 64
RESERVED = frozenset(
    ("con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)))
)
"""Names of devices on Windows, which no folder can have."""
_WORDS = {"Cs": "half of a surrogate pair", "Cc": "a control character"}


def quoted(value: object) -> str:
    """`value` in a message: text in quotes with all that cannot be printed escaped, and cut."""
    if isinstance(value, int) and value.bit_length() > 4 * SHOWN:
        return f"a number of more than {SHOWN} digits"
    text = value[: SHOWN + 1] if isinstance(value, str) else str(value)
    cut = f"{text[:SHOWN]}…" if len(text) > SHOWN else text
    return repr(cut) if isinstance(value, str) else cut


def flaw(text: str, *, lines: bool = True) -> str | None:
    """What is wrong with `text` as something that is printed, and the mend; None if nothing is.

    Controls, half surrogate pairs and turns of direction are wrong; line ends unless `lines`.
    """
    if text.isprintable():  # none of what is looked for is printable
        return None
    for character in text:
        if lines and character in "\n\t\r":
            continue
        if character in "\n\r" or character in _BREAKS:
            return "has a line end in it; write one line"
        category = unicodedata.category(character)
        turns = character in _BIDI or character in _INVISIBLE
        if turns or category in _WORDS:
            what = "an invisible control" if turns else _WORDS[category]
            return f"has {what} (U+{ord(character):04X}) in it; delete it"
    return None


def _line(text: str) -> str:
    wrong = flaw(text, lines=False)
    if wrong is not None:
        raise ValueError(f"{quoted(text)} {wrong}")
    return text


def _paragraph(text: str) -> str:
    wrong = flaw(text)
    if wrong is not None:
        raise ValueError(f"{quoted(text)} {wrong}")
    return text


def _folder(name: str) -> str:
    if name in RESERVED:
        raise ValueError(f"{quoted(name)} is no name of a folder on Windows; write another")
    return name


FolderName = Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(_folder)]
"""A name that becomes a folder's, anywhere; its pattern leaves no sign that a path gives sense."""

Line = Annotated[str, Field(max_length=LONGEST_LINE), AfterValidator(_line)]
"""One line of text for people, such as a title or a label."""

Paragraph = Annotated[str, Field(max_length=LONGEST_PARAGRAPH), AfterValidator(_paragraph)]
"""Text for people that may have several lines."""
