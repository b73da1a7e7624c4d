"""Text of others as text alone: nothing in it moves a cursor, hides, or begins a line."""

from __future__ import annotations

import shlex
from unicodedata import category

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories of controls, format characters (bidirectional ones among them), surrogates,
and separators of lines and paragraphs."""
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_BYTES = range(0xDC80, 0xDD00)
"""The surrogates that stand for bytes of file names and arguments that are not UTF-8."""


def printed_text(text: str, *, keep: str = "") -> str:
    """`text` in one line, with what cannot be seen written as `\\x1b`, `\\n` or `\\u202e`, but for
    the characters in `keep`."""
    if text.isprintable():
        return text
    return "".join(
        character if category(character) not in _UNSEEN or character in keep else _told(character)
        for character in text
    )


def shell_word(text: str) -> str:
    """`text` as one word of a shell's command line, to be copied; where it holds what cannot be
    seen in the form `$'…'`, which bash, ksh and zsh read."""
    plain = printed_text(text)
    if plain == text:
        return shlex.quote(text)
    return "$'" + printed_text(text.replace("\\", "\\\\").replace("'", "\\'")) + "'"


def _told(character: str) -> str:
    point = ord(character)
    if point in _BYTES:
        return f"\\x{point - 0xDC00:02x}"
    if point < 0x100:
        return _NAMED.get(character, f"\\x{point:02x}")
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
