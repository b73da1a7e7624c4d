"""Work for the processes of a cluster; it leaves a mark each time it is done."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from tempfile import mkstemp

import msgspec


class Work(msgspec.Struct, frozen=True):
    """A piece of work with or without a folder."""

    folder: Path | None


def pid_for(_: Work) -> int:
    """The process that does it."""
    return os.getpid()


def marked(name: str, marks: Path) -> str:
    """Leaves a mark, and gives its name back."""
    os.close(mkstemp(prefix=f"{name}-", dir=marks)[0])
    return name


def dies_once(name: str, marks: Path) -> str:
    """As `marked`; the first time its worker is killed in the middle of it."""
    first = not list(marks.glob(f"{name}-*"))
    marked(name, marks)
    if first:
        os.kill(os.getpid(), signal.SIGKILL)
    return name


def marks_of(name: str, marks: Path) -> int:
    """How often work called `name` was begun."""
    return len(list(marks.glob(f"{name}-*")))


def waits_for(file: Path) -> None:
    """Ends once there is `file`, or no folder for it any more; at the latest after a minute."""
    deadline = time.monotonic() + 60
    while not file.exists() and file.parent.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
