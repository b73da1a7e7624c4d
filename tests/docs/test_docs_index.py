"""docs/README.md names every page, and no page points to a file that is not there."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
INDEX = DOCS / "README.md"
PAGES = sorted({*ROOT.glob("README*.md"), ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")})

_CODE = re.compile(r"^(```+|~~~+).*?^\1|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_TARGETS = re.compile(
    r"!?\[[^\]]*\]\(\s*<?([^)>\s]+)>?(?:\s+[^)]*)?\)"  # [text](target "title")
    r"|^\[[^\]]+\]:\s+<?([^>\s]+)",  # [name]: target
    re.MULTILINE,
)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def linked(page: Path, text: str) -> list[Path]:
    """The files that the relative links in the `text` of `page` point to, whether there or not."""
    found = (one or other for one, other in _TARGETS.findall(_CODE.sub("", text)))
    relative = (target for target in found if not _ELSEWHERE.match(target))
    paths = (unquote(target.partition("#")[0]) for target in relative)
    return [(page.parent / path).resolve() for path in paths if path]


def test_the_index_links_every_page() -> None:
    there = {INDEX, *linked(INDEX, INDEX.read_text(encoding="utf-8"))}
    missing = set(DOCS.rglob("*.md")) - there
    assert sorted(str(page.relative_to(DOCS)) for page in missing) == []


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_both_readmes_link_the_index(name: str) -> None:
    assert INDEX in linked(ROOT / name, (ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_point_to_files(page: Path) -> None:
    targets = linked(page, page.read_text(encoding="utf-8"))
    assert [str(target) for target in targets if not target.exists()] == []


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("[a](gone.md)", ["gone.md"]),
        ("[a](gone.md#part)", ["gone.md"]),
        ("[a\nb](<gone.md>)", ["gone.md"]),
        ("[a](two%20words.md 'title')", ["two words.md"]),
        ("![a](../plot.png)", ["../plot.png"]),
        ("[a]: gone.md", ["gone.md"]),
        ("[a](https://example.org/x.md) [b](#part) <https://example.org>", []),
        ("`[a](gone.md)`\n```sh\n[a](gone.md)\n```\n[b](there.md)", ["there.md"]),
    ],
)
def test_links_are_read_as_markdown_writes_them(text: str, targets: list[str]) -> None:
    assert linked(INDEX, text) == [(DOCS / target).resolve() for target in targets]
