"""Online backups of a live SQLite file, on a schedule, each checked before it counts."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec

BUSY_SECONDS = 5.0
_RETRY_AFTER = 0.2


class Backup(msgspec.Struct, frozen=True):
    """A backup: it holds everything that was committed at `as_of` (seconds since the epoch), and
    took `took` seconds, check included."""

    path: Path
    as_of: float
    took: float


class Backups:
    """Takes a backup of the database file `source` into `folder` every `every` seconds, from a
    thread of its own, and keeps the newest `keep`.

    SQLite's own backup interface copies the file in one read transaction while it is written to;
    the copy is checked (`PRAGMA integrity_check`), synced and renamed, so a file in the folder was
    once a sound database. A copy that fails the check is thrown away, and the older ones stay.
    """

    def __init__(self, source: Path, folder: Path, every: float, keep: int) -> None:
        self.folder = folder
        self.refused = 0
        """Copies that failed, since the beginning."""
        self._source = source
        self._every = every
        self._keep = keep
        self._taken: list[Backup] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def taken(self) -> tuple[Backup, ...]:
        """Those in the folder, newest first."""
        with self._lock:
            return tuple(reversed(self._taken))

    def start(self) -> None:
        """Take the first one now, and the others in time. Raises sqlite3.Error."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.take()
        self._thread = threading.Thread(target=self._run, name="backups", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def follow(self, source: Path) -> None:
        """The live file is another from now on."""
        self._source = source

    def take(self) -> Backup:
        """One backup, now. Raises sqlite3.Error when the live file cannot be read or the copy is
        not sound."""
        as_of, began = time.time(), time.monotonic()
        aside = self.folder / ".writing.db"
        aside.unlink(missing_ok=True)
        with (
            closing(read_only(self._source)) as live,
            closing(sqlite3.connect(aside)) as copy,
        ):
            live.backup(copy)
            # One file that stands alone, whatever the live one does with its log.
            copy.execute("PRAGMA journal_mode = DELETE").fetchall()
        complaint = unsound(aside)
        if complaint:
            raise sqlite3.DatabaseError(complaint)
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        path = self.folder / f"backup-{as_of:.3f}.db"
        aside.replace(path)
        backup = Backup(path, as_of, time.monotonic() - began)
        with self._lock:
            self._taken.append(backup)
            while len(self._taken) > self._keep:
                self._taken.pop(0).path.unlink(missing_ok=True)
        return backup

    def _run(self) -> None:
        due = time.monotonic() + self._every
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            try:
                self.take()
            except (sqlite3.Error, OSError):
                self.refused += 1
            due = max(due + self._every, time.monotonic() + _RETRY_AFTER)


def read_only(file: Path) -> sqlite3.Connection:
    """A connection that neither makes the file nor changes it. Raises sqlite3.Error."""
    uri = f"{file.resolve().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)


def unsound(file: Path) -> str:
    """What is wrong with a database file, in one line; empty when nothing is."""
    try:
        with closing(read_only(file)) as connection:
            found: str = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        return str(error)
    return "" if found == "ok" else found.splitlines()[0]


def choose(
    taken: tuple[Backup, ...],
    struck_at: float,
    older: int,
    complaint: Callable[[Path], str] = unsound,
) -> tuple[Backup | None, list[str]]:
    """The newest sound backup from before `struck_at` (seconds since the epoch) after `older` sound
    ones, and what was wrong with those that were passed over. `taken` is newest first."""
    passed_over: list[str] = []
    sound = _sound((each for each in taken if each.as_of <= struck_at), complaint, passed_over)
    for _ in range(older):
        next(sound, None)
    return next(sound, None), passed_over


def _sound(
    backups: Iterator[Backup], complaint: Callable[[Path], str], passed_over: list[str]
) -> Iterator[Backup]:
    for backup in backups:
        wrong = complaint(backup.path)
        if wrong:
            passed_over.append(f"{backup.path.name}: {wrong}")
        else:
            yield backup
