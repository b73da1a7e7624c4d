"""What a command finds around it and must not depend on: closed or narrow streams, the file mask,
settings of matplotlib that others made."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

PRIVATE = 0o077
"""File mask under which what is made is the user's alone: runs hold databases, keys and logs."""
_RC = "matplotlibrc"

_users_mask = PRIVATE


def settle() -> None:
    """Make them what every command expects; once, at the beginning of the process."""
    global _users_mask
    _open_streams()
    _users_mask = os.umask(PRIVATE)
    _leave_matplotlib_alone()


def users_mask() -> int:
    """The file mask that the command was called under."""
    return _users_mask


def _open_streams() -> None:
    """Standard streams that were closed swallow what is written; without this the next file or
    socket that is opened takes their number, and gets it. On those that cannot show a character it
    is replaced."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    sys.stdout = _open_stream(sys.stdout, "replace")
    sys.stderr = _open_stream(sys.stderr, "backslashreplace")


def _open_stream(stream: TextIO | None, errors: str) -> TextIO:
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors=errors)
    return stream


def _leave_matplotlib_alone() -> None:
    """Plots look the same whatever a notebook (MPLBACKEND), a home folder or the present folder
    say; where there is no home, matplotlib keeps its list of fonts in a temporary folder."""
    os.environ["MPLBACKEND"] = "agg"
    found = importlib.util.find_spec("matplotlib")
    if found is not None and found.origin is not None:
        own = Path(found.origin).with_name("mpl-data")
        os.environ["MATPLOTLIBRC"] = str(own / _RC)
        logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells where it keeps its list
        if not _has_home():
            os.environ["MPLCONFIGDIR"] = os.devnull
        if os.path.lexists(_RC):
            # It reads the one of the present folder before any other, when it is imported.
            with _in_folder(own):
                import matplotlib  # noqa: F401


def _has_home() -> bool:
    try:
        return Path.home().is_absolute()
    except RuntimeError:
        return False


@contextmanager
def _in_folder(folder: Path) -> Iterator[None]:
    here = os.open(".", os.O_RDONLY)
    os.chdir(folder)
    try:
        yield
    finally:
        os.fchdir(here)
        os.close(here)
