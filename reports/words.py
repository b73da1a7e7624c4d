"""Words of a report in each language: `<lang>.toml` in the package of the report, the same keys in
each."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

Lang = Literal["en", "zh"]
LANGUAGES: tuple[Lang, ...] = get_args(Lang)


class Words:
    """Texts of one language by dotted key: `words("cover.date")`."""

    def __init__(self, lang: Lang, package: str) -> None:
        self.lang = lang
        self._texts = texts(lang, package)

    def __call__(self, key: str, /, **values: object) -> str:
        """The text of `key` with `{name}` replaced by `values`. Raises KeyError."""
        return self._texts[key].format(**values)

    def name(self, kind: str, word: str) -> str:
        """How `word` of a record is called, as `[kind]` says; `word` itself where the table does
        not know it, since records may hold words of a newer version."""
        return self._texts.get(f"{kind}.{word}", word)


@cache
def texts(lang: Lang, package: str) -> Mapping[str, str]:
    """Every text of a language by dotted key."""
    table = resources.files(package).joinpath(f"{lang}.toml").read_text(encoding="utf-8")
    return dict(_flat("", tomllib.loads(table)))


def _flat(prefix: str, table: dict[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            found += _flat(f"{prefix}{key}.", value)
        else:
            found.append((f"{prefix}{key}", str(value)))
    return found
