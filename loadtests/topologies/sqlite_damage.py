"""Damage to a live SQLite file, such that the lender which has it open meets it."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from loadtests.process import StackProblem

_TRIES = 200
_PAUSE = 0.02
_GARBAGE = b"\xa5"


def drop_table(file: Path, table: str) -> str:
    """What an operator types by mistake; returns the statement. Raises StackProblem."""
    statement = f'DROP TABLE "{table}"'
    try:
        with closing(sqlite3.connect(file, timeout=10.0, isolation_level=None)) as connection:
            connection.execute(statement)
    except sqlite3.Error as error:
        raise StackProblem(f"{file.name}: {error}") from None
    return statement


def spoil_page(file: Path, table: str) -> int:
    """Overwrite the root page of `table` with garbage; returns its number. Raises StackProblem."""
    found = 0

    def overwrite(connection: sqlite3.Connection) -> None:
        nonlocal found
        row = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
        ).fetchone()
        if row is None:
            raise StackProblem(f"{file.name} has no table {table}")
        found = row[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        with file.open("r+b") as raw:
            raw.seek((found - 1) * size)
            raw.write(_GARBAGE * size)
            os.fsync(raw.fileno())

    _behind_the_back(file, overwrite)
    return found


def cut_in_half(file: Path) -> int:
    """Truncate the file to half its pages; returns the bytes left. Raises StackProblem."""
    left = 0

    def cut(connection: sqlite3.Connection) -> None:
        nonlocal left
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        left = file.stat().st_size // size // 2 * size
        os.truncate(file, left)

    _behind_the_back(file, cut)
    return left


def _behind_the_back(file: Path, damage: Callable[[sqlite3.Connection], None]) -> None:
    """Do `damage` while nobody writes and no page stands in the write-ahead log, where the good
    copy would go on serving; then change a page that is not hurt: the lender drops its cache."""
    log = file.with_name(file.name + "-wal")
    try:
        with closing(sqlite3.connect(file, timeout=10.0, isolation_level=None)) as connection:
            for _ in range(_TRIES):
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                connection.execute("BEGIN IMMEDIATE")
                if not log.exists() or log.stat().st_size == 0:
                    version = connection.execute("PRAGMA user_version").fetchone()[0]
                    connection.execute(f"PRAGMA user_version = {version + 1}")
                    damage(connection)
                    connection.execute("COMMIT")
                    return
                connection.execute("ROLLBACK")
                time.sleep(_PAUSE)
    except sqlite3.Error as error:
        raise StackProblem(f"{file.name}: {error}") from None
    raise StackProblem(f"{file.name} is written to without a pause; it could not be damaged")
