"""The data files that lie beside the code: each says where its figures are from, and of when.

A file opens with comment lines, of which two have a fixed form, so that `bindrill data` can tell
how old the figures are:

    # source: who published them, and where
    # as of: 2024-06-30

The date is that of the figures; where the source gives none, the day on which they were gathered.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

PACKAGES = ("scenarios", "mocks")
"""Packages that hold data files, at any depth."""

INPUTS = ("library", "drills", "plans")
"""Folders of what a user plays or plans with: it tells nothing about the world."""

_SOURCE = re.compile(r"# source: (\S.*)")
_AS_OF = re.compile(r"# as of: (\d{4}-\d{2}-\d{2})")


class DataFile(msgspec.Struct, frozen=True):
    """One data file. `path` begins with its package; `source` is one line; `as_of` is the date of
    its figures."""

    path: str
    source: str
    as_of: date


class UnsourcedData(Exception):
    """A data file does not say where its figures are from, or of when."""


@cache
def read_table(package: str, name: str) -> tuple[dict[str, str], ...]:
    """The rows of the CSV file `name` in `package`, as text by column, without its comments."""
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return tuple(csv.DictReader(lines))


def data_files() -> list[DataFile]:
    """Every data file, in order of its path. Raises UnsourcedData."""
    found = [
        described(path, file.read_text(encoding="utf-8"))
        for package in PACKAGES
        for path, file in _below(package, files(package))
    ]
    return sorted(found, key=lambda file: file.path)


def described(path: str, text: str) -> DataFile:
    """What the comments of the file at `path` say of it. Raises UnsourcedData."""
    comments = [line for line in text.splitlines() if line.startswith("#")]
    sources = [found[1] for line in comments if (found := _SOURCE.fullmatch(line))]
    dates = [found[1] for line in comments if (found := _AS_OF.fullmatch(line))]
    if len(sources) != 1 or len(dates) != 1:
        raise UnsourcedData(f"{path}: write one line `# source: …` and one `# as of: 2026-01-31`")
    return DataFile(path=path, source=sources[0], as_of=date.fromisoformat(dates[0]))


def _below(path: str, folder: Traversable) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        inner = f"{path}/{entry.name}"
        if entry.is_dir():
            if entry.name not in INPUTS:
                yield from _below(inner, entry)
        elif entry.name.endswith((".csv", ".yaml")):
            yield inner, entry
