"""The System V shared memory that a killed server leaves in the kernel."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

_IPC_RMID = 0
_LISTING = Path("/proc/sysvipc/shm")


def release(data: Path) -> None:
    """Let go of the segment of the dead server whose data folder is `data`: the seventh line of its
    postmaster.pid has key and id. Linux alone tells whether that id is still the same segment."""
    try:
        key, segment = map(
            int,
            (data / "postmaster.pid")
            .read_text(encoding="utf-8", errors="replace")
            .splitlines()[6]
            .split(),
        )
    except (OSError, IndexError, ValueError):
        return
    if sys.platform == "linux" and (key, segment) in _existing():
        ctypes.CDLL(None).shmctl(segment, _IPC_RMID, None)


def _existing() -> set[tuple[int, int]]:
    lines = _LISTING.read_text().splitlines()[1:]
    return {(int(key), int(segment)) for key, segment, *_ in map(str.split, lines)}
