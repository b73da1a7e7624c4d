"""The pack's words in each language."""

from __future__ import annotations

from collections.abc import Mapping

from reports import words
from reports.words import LANGUAGES, Lang

_PACKAGE = "reports.drills.evidence"

__all__ = ["LANGUAGES", "Lang", "Words", "texts"]


class Words(words.Words):
    """Texts of the pack in one language."""

    def __init__(self, lang: Lang) -> None:
        super().__init__(lang, _PACKAGE)


def texts(lang: Lang) -> Mapping[str, str]:
    """Every text of a language by dotted key."""
    return words.texts(lang, _PACKAGE)
