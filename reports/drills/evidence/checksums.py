"""SHA-256 of what the evidence rests on, in the format of `sha256sum`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

_KINDS = frozenset(
    {".csv", ".err", ".html", ".json", ".jsonl", ".log", ".out", ".parquet", ".pdf", ".txt"}
    | {".yaml", ".yml"}
)
_SECRET = frozenset({"keys.json"})

State = Literal["as recorded", "changed", "missing", "hashed now"]


class Checksum(msgspec.Struct, frozen=True):
    """One file of a run by its path in the run folder, its SHA-256 in hex, and how the file now
    compares with the digest that the drill itself recorded, if it did."""

    path: str
    digest: str
    state: State


def file_checksums(run_folder: Path, recorded: Mapping[str, str]) -> tuple[Checksum, ...]:
    """Every file of a run that bears evidence, in the order of paths.

    A digest that the drill recorded stands, whatever the file now holds, so that a file which was
    changed afterwards is found. Key files, databases and the evidence itself are left out, and so
    is the run's own report.html, which may be written again at any time.
    """
    found = {path: _digest(run_folder / path) for path in _files(run_folder)}
    checksums = []
    for path in sorted(found.keys() | recorded.keys()):
        digest = recorded.get(path)
        if digest is None:
            checksums.append(Checksum(path, found[path], "hashed now"))
            continue
        now = found.get(path) or _digest_if_there(run_folder / path)
        state: State = "missing" if now is None else "as recorded" if now == digest else "changed"
        checksums.append(Checksum(path, digest, state))
    return tuple(checksums)


def checksum_lines(
    checksums: Iterable[Checksum], evidence: Path, run_folder: Path, own: Iterable[Path]
) -> str:
    """The text of `checksums.sha256`, whose paths start from the evidence folder: `checksums` and
    the pack's `own` files."""
    up = os.path.relpath(run_folder, evidence)
    lines = [f"{each.digest}  {up}/{each.path}" for each in checksums]
    lines += [f"{_digest(path)}  {path.name}" for path in sorted(own)]
    return "".join(f"{line}\n" for line in lines)


def _files(run_folder: Path) -> list[str]:
    found = []
    for path in run_folder.rglob("*"):
        relative = path.relative_to(run_folder)
        if relative.parts[0] in {"evidence", "report.html"} or path.name in _SECRET:
            continue
        if path.suffix in _KINDS and not path.name.startswith(".") and path.is_file():
            found.append(relative.as_posix())
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest_if_there(path: Path) -> str | None:
    try:
        return _digest(path)
    except OSError:
        return None
