"""Files that are written whole or not at all, and errors that say which file it was."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write_whole(path: Path, content: bytes | memoryview, *, sync: bool = True) -> None:
    """Write a file so that a reader, or a kill, meets the old content or the new; after the
    machine's loss of power too if `sync`. Raises OSError, which names it."""
    aside = path.with_name(f".{path.name}.writing")
    with named_in_errors(path):
        try:
            with aside.open("wb") as file:
                file.write(content)
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
            aside.replace(path)
        except OSError:
            with suppress(OSError):  # where there is no room, a part of it takes some
                aside.unlink()
            raise


@contextmanager
def named_in_errors(name: Path | str) -> Iterator[None]:
    """An OSError from within has this name: that of a full disk names no file by itself."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(name)) from None
