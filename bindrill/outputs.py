"""Files that a command was told to write: looked at before its work begins, and his own after."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bindrill.errors import InputProblem
from bindrill.surroundings import users_mask
from reports.run_folder import new_folder
from scenarios.problems import ScenarioProblems


def check_output(
    file: Path,
    option: str,
    inputs: Iterable[Path] = (),
    *,
    replaces: Callable[[Path], object] | None = None,
) -> None:
    """Raises InputProblem unless `file`, given by `option`, can be written and is none of those
    that are read. `replaces` reads what may be there already; anything else stays. Nothing is
    changed."""
    if file.is_dir():
        raise InputProblem(f"{option}: {file} is a folder; write a file's name")
    if not file.parent.is_dir():
        raise InputProblem(f"{option}: there is no folder {file.parent}")
    for source in inputs:
        if file.exists() and source.exists() and file.samefile(source):
            raise InputProblem(f"{option}: {file} is read too; write another name")
    if replaces is not None and file.exists():
        try:
            replaces(file)
        except ScenarioProblems:
            raise InputProblem(
                f"{option}: {file} is there and is none of this kind; write another name"
            ) from None
    try:
        if file.exists():
            os.close(os.open(file, os.O_WRONLY | os.O_APPEND))
        # A whole file is written beside it, and takes its name then.
        beside = file.with_name(f".{file.name}.writing")
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT, 0o600))
        beside.unlink()
    except OSError as error:
        raise InputProblem(f"{option}: {file} cannot be written: {error.strerror}") from None


@contextmanager
def output_folder(base: Path, name: str) -> Iterator[Path]:
    """A new folder `base/name` from the beginning of the work; not there any more if nothing was
    written to it. Raises RunProblem."""
    folder = new_folder(base, name)
    try:
        yield folder
    finally:
        with suppress(OSError):  # it has something in it
            folder.rmdir()


def share(*files: Path) -> None:
    """Give files that the user named the rights that his other files have."""
    for file in files:
        file.chmod(0o666 & ~users_mask())
