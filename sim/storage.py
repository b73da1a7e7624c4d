"""How much of a database a customer takes, by writing simulated customers into a real SQLite file.

The lender plays with its real vault and audit log, keeps everything in memory, and every record is
then written through the real schema, so that the file's pages can be counted.
"""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from itertools import count
from pathlib import Path

from simpy import Environment

from mocks.lender.audit import AuditLog
from mocks.lender.database_url import sqlite_url
from mocks.lender.key_ring import KeyRing
from mocks.lender.memory_store import MemoryStore
from mocks.lender.records import KINDS, IdempotentReply
from mocks.lender.service import Lender
from mocks.lender.sql_store import SqlStore, SqlTx
from mocks.lender.vault import AesGcmVault
from reports.claims import scratch
from reports.numbers import significant
from scenarios.schema import Scenario
from sim.run import play
from sim.world import SimWorld

_KEYS = KeyRing(current="plan", keys={"plan": bytes(32)}, index_key=bytes(32), otp_key=bytes(32))
"""Made-up data of nobody under keys of no secret: the same customers give the same bytes."""


_NODE = "lender-1"


class _Identifiers:
    """Identifiers of the length and the disorder that those of a live lender have."""

    def __init__(self) -> None:
        self._numbers = count()

    def __call__(self, prefix: str) -> str:
        return f"{prefix}_{sha256(str(next(self._numbers)).encode()).hexdigest()[:32]}"


def stored_bytes(scenario: Scenario) -> dict[str, float]:
    """Bytes in an SQLite file for each customer who arrives, by table, its indexes included.

    Replies kept for idempotency are left out, as they are removed after their time. Raises
    ValueError when nobody arrives.
    """
    with scratch() as base:
        folder = base / "sim"
        folder.mkdir()
        worlds: list[SimWorld] = []

        def as_live(world: SimWorld) -> None:
            world.identifier = _Identifiers()  # type: ignore[method-assign]
            world.lender = Lender(scenario.lender, world, AesGcmVault(_KEYS), AuditLog(_NODE))
            worlds.append(world)

        customers = play(Environment(), scenario, folder, on_world=as_live).customers
        if not customers:
            raise ValueError(f"{scenario.name}: nobody arrives, so nothing is stored")
        file = base / "lender.db"
        _write(worlds[0]._store, file)
        pages = _pages(file)
    return {table: significant(size / customers) for table, size in pages.items()}


def _write(store: MemoryStore, file: Path) -> None:
    database = SqlStore(sqlite_url(file))

    def add_all(tx: SqlTx) -> None:
        for kind in KINDS:
            if kind is not IdempotentReply:
                for record in store.records(kind):
                    tx.add(record)

    try:
        database.transact(add_all)
    finally:
        database.close()


def _pages(file: Path) -> dict[str, float]:
    connection = sqlite3.connect(file)
    try:
        rows = connection.execute(
            "SELECT schema.tbl_name, SUM(pages.pgsize) FROM dbstat AS pages"
            " JOIN sqlite_schema AS schema ON schema.name = pages.name GROUP BY schema.tbl_name"
        ).fetchall()
    finally:
        connection.close()
    names = {kind.table for kind in KINDS if kind is not IdempotentReply}
    return {name: float(size) for name, size in sorted(rows) if name in names}
