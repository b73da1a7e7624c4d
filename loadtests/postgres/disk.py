"""A small disk for one cluster, which can be filled to the last byte."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import psutil

from loadtests.postgres.workspace import Workspace
from loadtests.process import StackProblem

Means = Literal["ext4 image", "tmpfs", "process limit"]
"""`ext4 image`: a loop-mounted file system of its own, with real syncs. `tmpfs`: one in memory,
whose syncs cost nothing. `process limit`: RLIMIT_FSIZE 0 on the server's processes, where nothing
may be mounted; every write is refused, so the server panics rather than failing single ones."""

SMALLEST_MB = 160
"""A fresh cluster with its log takes half of it."""
_TIMEOUT = 30.0


class Disk:
    """The disk under `folder`. `size_mb` None: the machine's own, which is never filled; then, and
    where nothing may be mounted, fullness is put upon the server's processes."""

    def __init__(self, workspace: Workspace, folder: Path, size_mb: int | None) -> None:
        if size_mb is not None and size_mb < SMALLEST_MB:
            raise StackProblem(f"a disk of {size_mb} MB is too small: write {SMALLEST_MB} or more")
        self._folder = folder
        self._installation = workspace.installation
        self._ballast = folder / "ballast"
        self._image = workspace.folder / f"{folder.name}.img"
        self.means: Means = "process limit"
        """How it gets full."""
        self._limited = False
        if size_mb is not None and os.geteuid() == 0 and sys.platform == "linux":
            self.means = self._mount(size_mb)
            folder.chmod(0o700)
            workspace.installation.give(folder)

    @property
    def full(self) -> bool:
        """Whether `fill` was called last."""
        return self._limited or self._ballast.exists()

    def fill(self, processes: Iterable[psutil.Process]) -> None:
        """From now on the server's writes of anything new are refused."""
        if self.means == "process limit":
            self._limited = True
            self._limit(processes, "0")
            return
        with self._ballast.open("wb", buffering=0) as file:
            for chunk in (1 << 20, 4096, 1):
                try:
                    while True:
                        file.write(bytes(chunk))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
            os.fsync(file.fileno())

    def free(self, processes: Iterable[psutil.Process]) -> None:
        """There is room again."""
        if self.means == "process limit":
            self._limited = False
            self._limit(processes, "unlimited")
            return
        self._ballast.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Let go of a disk that nobody uses any more."""
        if self.means != "process limit":
            subprocess.run(
                ["umount", "-l", self._folder], capture_output=True, check=False, timeout=_TIMEOUT
            )
            self._image.unlink(missing_ok=True)

    def _limit(self, processes: Iterable[psutil.Process], size: str) -> None:
        """As the user who runs the server: root needs a capability for it that containers lack."""
        program = shutil.which("prlimit")
        if program is None:
            raise StackProblem("a disk cannot be filled here: neither mount nor prlimit is there")
        for process in processes:
            try:
                self._installation.run(
                    program, "--pid", str(process.pid), f"--fsize={size}:unlimited",
                    folder=self._folder, timeout=_TIMEOUT,
                )  # fmt: skip
            except StackProblem:
                if process.is_running():
                    raise

    def _mount(self, size_mb: int) -> Means:
        image = self._image
        with image.open("wb") as file:
            file.truncate(size_mb << 20)
        if (
            shutil.which("mkfs.ext4")
            and _done("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=1", str(image))
            and _done("mount", "-o", "loop", str(image), str(self._folder))
        ):
            return "ext4 image"
        image.unlink()
        if _done("mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(self._folder)):
            return "tmpfs"
        return "process limit"


def _done(*command: str) -> bool:
    return (
        subprocess.run(command, capture_output=True, check=False, timeout=_TIMEOUT).returncode == 0
    )
