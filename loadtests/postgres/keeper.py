"""Removes a workspace when its owner has gone: `keeper.py OWNER FOLDER`, stdin a pipe from OWNER.

The pipe's end is the sign, or another parent than OWNER. Then every process that stands in FOLDER
is killed, what is mounted in it is unmounted, its shared memory released, and FOLDER deleted.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

_IPC_RMID = 0
_POLL = 1.0
_LONGEST = 60.0
"""Seconds until it gives up on a folder that cannot be emptied."""


def main(owner: int, folder: Path) -> None:
    """Wait, then tidy."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    while os.getppid() == owner:
        if select.select([sys.stdin], [], [], _POLL)[0] and not os.read(sys.stdin.fileno(), 4096):
            break
    deadline = time.monotonic() + _LONGEST
    while folder.exists() and time.monotonic() < deadline:
        segments = _shared_memory(folder)
        _end_processes(folder)
        _release(segments)
        _unmount(folder)
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            time.sleep(0.05)


def _end_processes(folder: Path) -> None:
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder):
                process.kill()
        except (psutil.Error, OSError):
            continue


def _unmount(folder: Path) -> None:
    for part in psutil.disk_partitions(all=True):
        if Path(part.mountpoint).is_relative_to(folder):
            subprocess.run(["umount", "-l", part.mountpoint], check=False, timeout=10)


def _shared_memory(folder: Path) -> set[tuple[int, int]]:
    """Key and id of the System V segments of servers that had no time to release them: the seventh
    line of a postmaster.pid."""
    found = set()
    for file in folder.glob("*/data/postmaster.pid"):
        try:
            key, segment = file.read_text().splitlines()[6].split()
            found.add((int(key), int(segment)))
        except (OSError, IndexError, ValueError):
            continue
    return found


def _release(segments: set[tuple[int, int]]) -> None:
    listing = Path("/proc/sysvipc/shm")
    if not segments or not listing.exists():
        return
    for line in listing.read_text().splitlines()[1:]:
        key, segment, *_ = map(int, line.split())
        if (key, segment) in segments:
            ctypes.CDLL(None).shmctl(segment, _IPC_RMID, None)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
