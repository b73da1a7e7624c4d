"""Removes a workspace when its owner has gone: `keeper.py OWNER FOLDER`, stdin a pipe from OWNER.

The pipe's end is the sign, or another parent than OWNER. Then every process that stands in FOLDER
is killed, what is mounted in it is unmounted, its shared memory released, and FOLDER deleted.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from loadtests.postgres.shared_memory import release
from reports.claims import processes_in

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
    remove(folder)


def remove(folder: Path) -> None:
    """Delete a folder whose owner is gone, with all that runs or is mounted in it."""
    deadline = time.monotonic() + _LONGEST
    while folder.exists() and time.monotonic() < deadline:
        _end_processes(folder)
        for data in folder.glob("*/data"):
            release(data)
        _unmount(folder)
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            time.sleep(0.05)


def _end_processes(folder: Path) -> None:
    for process in processes_in(folder):
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _unmount(folder: Path) -> None:
    for part in psutil.disk_partitions(all=True):
        if Path(part.mountpoint).is_relative_to(folder):
            subprocess.run(["umount", "-l", part.mountpoint], check=False, timeout=10)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
