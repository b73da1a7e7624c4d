"""A private folder for clusters that vanishes with all that is in it, whatever happens."""

from __future__ import annotations

import atexit
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from loadtests.postgres import keeper
from loadtests.postgres.installation import find_installation
from loadtests.process import StackProblem
from reports.claims import PREFIX, claimed
from scenarios.child_environment import child_environment, forget_libpq

CLOSING = 70.0
"""Seconds within which the folder must be gone."""
_PLAIN = re.compile(r"[\w./-]{1,60}", re.ASCII)
"""Of a socket's address the kernel takes a hundred characters."""


class Workspace:
    """A new temporary folder that the user who runs PostgreSQL owns, and nobody else may enter.

    Data folders, sockets, archives and backups belong in it. A keeper process removes it at
    `close`, and also when this process is killed: first whatever runs in it, then mounts, shared
    memory and files. `parent`: where to make it, instead of among the temporary files. A context
    manager. Raises StackProblem without PostgreSQL.
    """

    def __init__(self, parent: Path | None = None) -> None:
        self.installation = find_installation()
        forget_libpq()
        self.password = secrets.token_hex(16)
        """Of the lender's and the standbys' roles in every cluster here."""
        self._endings: list[Callable[[], None]] = []
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}pg-", dir=parent or reachable()))
        self.installation.give(self.folder)
        self._claim = claimed(self.folder)
        self._claim.__enter__()
        command = [sys.executable, keeper.__file__, str(os.getpid()), str(self.folder)]
        self._keeper = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            start_new_session=True,
            env=child_environment(),
        )
        atexit.register(self.close)

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def new_folder(self, name: str) -> Path:
        """A new empty folder in it, open to PostgreSQL alone."""
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        self.installation.give(folder)
        return folder

    def copy(self, source: Path, target: Path) -> None:
        """Copy a folder into it; PostgreSQL owns the copy."""
        shutil.copytree(source, target, symlinks=True)
        target.chmod(0o700)
        for path in (target, *target.rglob("*")):
            self.installation.give(path)

    def at_close(self, end: Callable[[], None]) -> None:
        """Call `end` before the folder goes."""
        self._endings.append(end)

    def close(self) -> None:
        """End every process in the folder and delete it. Raises StackProblem if that fails. When it
        is interrupted the keeper goes on by itself."""
        atexit.unregister(self.close)
        while self._endings:
            self._endings.pop()()
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        try:
            self._keeper.wait(CLOSING)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
        self._claim.__exit__(None, None, None)
        if self.folder.exists():
            raise StackProblem(f"{self.folder} could not be removed; delete it by hand")


def reachable() -> Path:
    """The temporary folder, or /tmp when others may not pass through to it, or its name does not
    suit everything that PostgreSQL makes of it: a socket's address, settings, shell commands."""
    chosen = Path(tempfile.gettempdir()).resolve()
    open_to_all = all(folder.stat().st_mode & 0o001 for folder in (chosen, *chosen.parents))
    if open_to_all and _PLAIN.fullmatch(str(chosen)):
        return chosen
    return Path("/tmp")  # noqa: S108
