"""Values of options as people write them; what cannot be read is one line that names the option."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bindrill.errors import InputProblem
from reports.words import LANGUAGES, Lang

T = TypeVar("T")

_LONGEST_SECRET = 4096
"""Bytes of a file that holds a token."""


def parsed(option: str, text: str, parse: Callable[[str], T]) -> T:
    """What `parse` makes of `text`. Raises InputProblem with what it says in a ValueError."""
    try:
        return parse(text)
    except ValueError as error:
        raise InputProblem(f"{option}: {error}") from None


def positive(option: str, text: str, parse: Callable[[str], float], mend: str) -> float:
    """The same, of more than 0; `mend` is what to write, such as `a rate such as 2/s`."""
    value = parsed(option, text, parse)
    if value <= 0:
        raise InputProblem(f"{option}: {text} is not above 0; write {mend}")
    return value


def secret(option: str, given: str | None, file: Path | None) -> str | None:
    """A token as it was given, or from a file, which nobody sees in a list of processes. Raises
    InputProblem for both, for a file that cannot be read, and for what no header can hold."""
    where = option
    if file is not None:
        if given is not None:
            raise InputProblem(f"{option} and {option}-file are two tokens; give one")
        where = f"{option}-file {file}"
        try:
            with file.open("rb") as stream:
                given = stream.read(_LONGEST_SECRET).decode(errors="replace").strip()
        except OSError as error:
            raise InputProblem(f"{where}: {error.strerror}") from None
    if given is not None and not (given and given.isascii() and given.isprintable()):
        raise InputProblem(f"{where}: is not one line of letters, digits and signs; write such one")
    return given


def checked_language(lang: str) -> Lang:
    """`lang` if reports can be written in it. Raises InputProblem."""
    if lang not in LANGUAGES:
        raise InputProblem(f"--lang {lang}: write one of {', '.join(LANGUAGES)}")
    return lang
