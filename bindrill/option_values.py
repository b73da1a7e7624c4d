"""Values of options as people write them; what cannot be read is one line that names the option."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bindrill.errors import InputProblem
from reports.words import LANGUAGES, Lang

T = TypeVar("T")


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


def checked_language(lang: str) -> Lang:
    """`lang` if reports can be written in it. Raises InputProblem."""
    if lang not in LANGUAGES:
        raise InputProblem(f"--lang {lang}: write one of {', '.join(LANGUAGES)}")
    return lang
