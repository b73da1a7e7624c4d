"""Continuous shipping of an SQLite file's write-ahead log, by Litestream (https://litestream.io)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from loadtests.drill.clock import utc
from loadtests.process import StackProblem
from loadtests.stack import Stack
from loadtests.topologies.backups import unsound
from scenarios.child_environment import child_environment

PROGRAM = "litestream"
INSTALL = "pip install 'bindrill[shipping]'"
RESTORE_TIMEOUT = 60.0


def find_litestream() -> str:
    """The program's path. Raises StackProblem, which names the command that installs it."""
    beside = Path(sys.executable).with_name(PROGRAM)
    found = shutil.which(PROGRAM) or (str(beside) if beside.is_file() else None)
    if found is None:
        raise StackProblem(f"ship_every needs Litestream, which is not installed: run {INSTALL}")
    return found


class Shipping:
    """Ships what is new in the log of a live database file every `every` seconds into a folder
    below `data`, from a process in the stack's care."""

    def __init__(self, stack: Stack, every: float, data: Path) -> None:
        self._stack = stack
        self._every = every
        self._data = data
        self._lives = 0
        self._config = data / "litestream-0.yml"
        self._source = data

    def start(self, source: Path) -> None:
        """Begin with a snapshot of `source`. Raises StackProblem."""
        self._lives += 1
        self._source = source
        self._config = self._data / f"litestream-{self._lives}.yml"
        replica = {
            "type": "file",
            "path": str(self._data / f"shipped-{self._lives}"),
            "sync-interval": f"{round(self._every * 1000)}ms",
        }
        self._config.write_text(
            yaml.safe_dump({"dbs": [{"path": str(source), "replica": replica}]}), encoding="utf-8"
        )
        command = [find_litestream(), "replicate", *self._settings()]
        self._stack.begin(PROGRAM, command, {})

    def stop(self) -> None:
        """Ship no more, from one moment to the next."""
        self._stack.kill(PROGRAM)

    def restore(self, to: Path, before: float) -> str:
        """Write the database as it was shipped last before the moment `before` (seconds since the
        epoch) to `to`; what is wrong with it, in one line, or empty."""
        command = [
            *(find_litestream(), "restore", *self._settings(), "-o", str(to)),
            *("-timestamp", utc(before), str(self._source)),
        ]
        try:
            done = subprocess.run(
                command,
                env=child_environment(),
                capture_output=True,
                text=True,
                timeout=RESTORE_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"litestream took longer than {RESTORE_TIMEOUT:.0f} s"
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            return f"litestream: {said[-1] if said else 'it said nothing'}"
        return unsound(to)

    def _settings(self) -> tuple[str, ...]:
        return ("-config", str(self._config), "-no-expand-env")  # a $ in a path is a $
