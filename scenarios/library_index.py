"""The shipped scenarios and drills, by name."""

from __future__ import annotations

from pathlib import Path

import msgspec
import yaml

LIBRARY = Path(__file__).parent / "library"
DRILLS = Path(__file__).parent / "drills"


class Entry(msgspec.Struct, frozen=True):
    """A shipped scenario or drill: its name, title, one-line description and file."""

    name: str
    title: str
    description: str
    path: Path


def library() -> list[Entry]:
    """Every shipped scenario in the order of names, without validating them."""
    return [_entry(path) for path in sorted(LIBRARY.glob("*.yaml"))]


def names() -> list[str]:
    """The shipped scenarios' names."""
    return sorted(path.stem for path in LIBRARY.glob("*.yaml"))


def drills() -> list[Entry]:
    """Every shipped drill in the order of names, without validating them."""
    return [_entry(path) for path in sorted(DRILLS.glob("*.yaml"))]


def drill_names() -> list[str]:
    """The shipped drills' names."""
    return sorted(path.stem for path in DRILLS.glob("*.yaml"))


def _entry(path: Path) -> Entry:
    head = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Entry(path.stem, head["title"], head["description"].strip(), path)
