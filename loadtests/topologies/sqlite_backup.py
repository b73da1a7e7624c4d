"""The embedded default: one lender on an SQLite file, and its backups in another folder."""

from __future__ import annotations

import shutil
import sqlite3
import sys
import time
from pathlib import Path

import psutil

from loadtests.drill.clock import utc
from loadtests.drill.done import Done
from loadtests.process import StackProblem
from loadtests.stack import Stack
from loadtests.topologies.backups import Backups, choose
from loadtests.topologies.base import Topology
from loadtests.topologies.keys import Keys
from loadtests.topologies.shipping import Shipping
from loadtests.topologies.sqlite_damage import cut_in_half, drop_table, spoil_page
from mocks.lender.database_url import sqlite_url
from scenarios import topology as layout
from scenarios.drill_steps.base import Party

LENDER = "lender"
ROOM = 65536
"""Bytes that a file may have on a full disk: less than any write-ahead log in use."""


class SqliteBackup(Topology):
    """Everything is below `data`: `live/` (the database), `backups/`, `keys/`, `escrow/` and, after
    a restore, `restored-N/`; with a shipped log, `shipped-N/`."""

    def __init__(self, settings: layout.SqliteBackup, stack: Stack, data: Path) -> None:
        self.keys = Keys(data / "keys" / "keys.json", data / "escrow", stack, (LENDER,))
        self.backups = Backups(
            data / "live" / "lender.db", data / "backups", settings.backup_every, settings.keep
        )
        every = settings.ship_every
        self.shipping = None if every is None else Shipping(stack, every, data)
        self._stack = stack
        self._data = data
        self._file = data / "live" / "lender.db"
        self._restored = 0

    @property
    def database(self) -> str:
        return sqlite_url(self._file)

    @property
    def versions(self) -> dict[str, str]:
        return {"sqlite": sqlite3.sqlite_version}

    def start(self) -> None:
        self.keys.prepare()
        self._file.parent.mkdir(parents=True)
        self._stack.start_gateways(self._stack.address(LENDER))
        self._stack.start_lender(LENDER, self.database, key_ring=self.keys.file)
        self.keys.deposit()
        try:
            self.backups.start()
        except sqlite3.Error as error:
            raise StackProblem(f"the first backup failed: {error}") from None
        if self.shipping is not None:
            self.shipping.start(self._file)

    def stop(self) -> None:
        self.backups.stop()

    def kill(self, target: Party) -> Done:
        self._stack.kill(LENDER)
        if target == "lender":
            return Done("the lender is dead", ("kill -9 lender",))
        if self.shipping is not None:
            self.shipping.stop()
        gone = [file for file in self._file.parent.glob(f"{self._file.name}*") if file.is_file()]
        for file in gone:
            file.unlink()
        names = ", ".join(sorted(file.name for file in gone))
        return Done(f"the lender is dead and its files are gone: {names}", ("kill -9 lender",))

    def freeze(self, target: Party) -> Done:
        self._stack.pause(LENDER)
        return Done("the lender stands still", ("kill -STOP lender",))

    def thaw(self, target: Party) -> Done:
        self._stack.resume(LENDER)
        return Done("the lender goes on", ("kill -CONT lender",))

    def restart(self, target: Party) -> Done:
        self._stack.kill(LENDER)
        self._stack.restart(LENDER)
        return Done("the lender is ready")

    def corrupt_page(self, table: str) -> Done:
        return Done(f"page {spoil_page(self._file, table)} of {self._file.name} holds garbage")

    def truncate_file(self, table: str) -> Done:
        return Done(f"{self._file.name} is cut to {cut_in_half(self._file):,} bytes")

    def delete_table(self, table: str) -> Done:
        return Done(f"table {table} is gone", (drop_table(self._file, table),))

    def fill_disk(self) -> Done:
        self._limit_files(ROOM)
        return Done(
            f"the lender may write no byte beyond {ROOM:,} of a file",
            (f"prlimit --fsize={ROOM}: lender",),
        )

    def free_disk(self) -> Done:
        if self._stack.process(LENDER).exit_code is not None:
            self._stack.restart(LENDER)
            return Done("the lender, which had died, is ready")
        self._limit_files(psutil.RLIM_INFINITY)
        return Done("writes are accepted", ("prlimit --fsize=unlimited: lender",))

    def spoil_backup(self) -> Done:
        taken = self.backups.taken
        if not taken:
            raise StackProblem("there is no backup to spoil")
        with taken[0].path.open("r+b") as file:
            file.write(b"\xa5" * 4096)
        return Done(f"{taken[0].path.name} begins with garbage")

    def restore(self, struck_at: float, older: int) -> Done:
        self._stack.kill(LENDER)
        self._restored += 1
        place = self._data / f"restored-{self._restored}" / "lender.db"
        place.parent.mkdir()
        began = time.monotonic()
        what, command, passed_over = self._bring(place, struck_at, older)
        took = time.monotonic() - began
        size = place.stat().st_size
        self._file = place
        self._stack.restart(LENDER, database=self.database)
        self.backups.follow(place)
        if self.shipping is not None:
            self.shipping.start(place)
        details = [
            f"{what}; {size:,} bytes in {took:.2f} s",
            *(f"passed over {each}" for each in passed_over),
        ]
        return Done("; ".join(details), (command,))

    def _bring(self, place: Path, struck_at: float, older: int) -> tuple[str, str, list[str]]:
        """The newest copy at `place`: what it is, the command for it, and what was passed over."""
        passed_over: list[str] = []
        if self.shipping is not None and older == 0:
            self.shipping.stop()
            wrong = self.shipping.restore(place, struck_at)
            if not wrong:
                what = f"the shipped log up to {utc(struck_at)}"
                return what, f"litestream restore -timestamp {utc(struck_at)}", passed_over
            passed_over.append(f"the shipped log: {wrong}")
            place.unlink(missing_ok=True)
        backup, unreadable = choose(self.backups.taken, struck_at, older)
        passed_over += unreadable
        if backup is None:
            unread = "; ".join(passed_over) or "none was taken before"
            raise StackProblem(f"there is no backup to restore: {unread}")
        shutil.copyfile(backup.path, place)
        what = (
            f"{backup.path.name} as of {utc(backup.as_of)},"
            f" {struck_at - backup.as_of:.1f} s old when it struck"
        )
        return what, f"cp backups/{backup.path.name} {place.parent.name}/", passed_over

    def _limit_files(self, size: int) -> None:
        if sys.platform != "linux":
            raise StackProblem("a full disk is played with prlimit, which only Linux has")
        psutil.Process(self._stack.process(LENDER).pid).rlimit(
            psutil.RLIMIT_FSIZE, (size, psutil.RLIM_INFINITY)
        )
