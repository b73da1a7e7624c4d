"""Whose a folder is while it is written to, so that what a killed process left is known for sure.

A claim is a file in the folder that its process holds locked. The kernel lets go of the lock
however the process ends, whichever container it ran in, and no process number is taken for another.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

import msgspec
import psutil

from scenarios.interruption import undisturbed

FILE = ".claim"
PREFIX = "bindrill-"
"""Of temporary folders."""
_held = ExitStack()
atexit.register(_held.close)
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Owner(msgspec.Struct, frozen=True):
    """The process that claimed a folder: its host, which life of that host, and its number."""

    host: str
    boot: str
    pid: int


Claim = Literal["none", "alive", "abandoned"]
"""`alive` also when it cannot be told, as of a process on another machine."""


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """`folder` is this process's own until it leaves, or dies."""
    path = folder / FILE
    with path.open("wb") as file:
        _lock(file.fileno(), wait=True)
        # After the lock, so that nobody finds a claim that says who, and is not held.
        file.write(msgspec.json.encode(Owner(platform.node(), _boot(), os.getpid())))
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def claim(folder: Path) -> Path:
    """`folder`, which is this process's own until `release`, or its end."""
    _held.enter_context(claimed(folder))
    return folder


def release() -> None:
    """Give up what `claim` claimed."""
    _held.close()


def claim_of(folder: Path) -> tuple[Claim, Owner | None]:
    """Whether somebody has claimed `folder`, and who."""
    try:
        with (folder / FILE).open("r+b") as file:
            content = file.read()
            free = _lock(file.fileno(), wait=False)
    except FileNotFoundError:
        return "none", None
    except OSError:
        return "alive", None
    try:
        owner = msgspec.json.decode(content, type=Owner)
    except msgspec.MsgspecError:
        return "alive", None  # it is being written
    return "abandoned" if _gone(owner, free) else "alive", owner


@contextmanager
def scratch(kind: str = "") -> Iterator[Path]:
    """A new temporary folder, which is gone afterwards; that of a process which was killed is
    found by `abandoned`. `kind` is a part of its name."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX + kind))
    try:
        with claimed(folder):
            yield folder
    finally:
        with undisturbed():
            shutil.rmtree(folder, ignore_errors=True)


def abandoned(base: Path, prefix: str = "") -> list[Path]:
    """The folders in `base`, of this user if it is not root, whose processes are gone."""
    folders = [claim.parent for claim in base.glob(f"{prefix}*/{FILE}")]
    ours = [each for each in folders if not each.is_symlink() and _ours(each)]
    return sorted(each for each in ours if claim_of(each)[0] == "abandoned")


def processes_in(folder: Path) -> list[psutil.Process]:
    """The processes that stand in `folder` or below it."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def _ours(folder: Path) -> bool:
    return os.geteuid() in (0, folder.stat().st_uid)


def _gone(owner: Owner, free: bool | None) -> bool:
    if owner.boot != _boot():
        return owner.host == platform.node()  # the machine was started again since
    return not psutil.pid_exists(owner.pid) if free is None else free


def _lock(file: int, *, wait: bool) -> bool | None:
    """Whether the lock could be had; None where the file system has no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _boot() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return str(int(psutil.boot_time()))
