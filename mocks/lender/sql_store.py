"""The lender's store in SQL: SQLite in a file by default, PostgreSQL by URL.

One writer thread runs all transactions of a node with group commit: whatever is waiting goes into
one database transaction, each piece of work in its own savepoint, and nobody is told before the
commit is durable. A disk that takes 5 ms to sync then limits commits a second, not bindings.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import create_engine, event, select, text
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    SQLAlchemyError,
)

from mocks.lender.database_url import DatabaseUrl
from mocks.lender.records import Record
from mocks.lender.sql_mapping import MAPPINGS, METADATA, Statements
from mocks.lender.store import Duplicate, R, StoreUnavailable

T = TypeVar("T")

LARGEST_GROUP = 128
"""Pieces of work in one commit, at most."""
REPEATS = 5
"""Times that a piece of work is run again, alone, when PostgreSQL breaks off deadlocks between two
nodes."""
BUSY_TIMEOUT_MS = 10_000
"""For how long SQLite waits while another process writes."""
_UNLIMITED = 2**62
_SCHEMA_LOCK = 0x62696E64
"""PostgreSQL advisory lock under which nodes that start together create the tables."""
_DEADLOCKS = ("40001", "40P01")
_DEFECTS = (IntegrityError, DataError)
"""What the work did wrong; everything else that a database says is the database's trouble: gone,
full, damaged, without a table, or a standby that takes no writes."""


class StoreWork:
    """What a store has done so far: `commits` of `transactions` together, in `busy` seconds of the
    writer's time, which is at most all the time; `executing` of them went to the transactions'
    own work, the rest to making it durable."""

    __slots__ = ("busy", "commits", "executing", "transactions")

    def __init__(self) -> None:
        self.busy = 0.0
        self.executing = 0.0
        self.commits = 0
        self.transactions = 0


class _Job(Generic[T]):
    """One piece of work, the future that waits for it, and how long the disk stalls, in seconds."""

    __slots__ = ("future", "stall", "work")

    def __init__(self, work: Callable[[SqlTx], T], stall: float) -> None:
        self.work = work
        self.stall = stall
        self.future: Future[T] = Future()


class _Outcome(NamedTuple):
    """What became of a piece of work, and whether it wrote anything."""

    job: _Job[Any]
    result: Any
    raised: BaseException | None
    wrote: bool


class SqlTx:
    """`mocks.lender.store.Tx` on a connection."""

    def __init__(
        self, connection: Connection, statements: dict[type[Any], Statements[Any]]
    ) -> None:
        self.connection = connection
        self._run = connection.exec_driver_sql
        self._statements = statements
        self.undo: list[Callable[[], None]] = []
        self.wrote = False

    @property
    def session(self) -> object:
        return self.connection.connection.dbapi_connection

    def get(self, kind: type[R], key: str) -> R | None:
        mapping = MAPPINGS[kind]
        row = self._run(self._statements[kind].get, {mapping.key: key}).first()
        return None if row is None else mapping.record(row)

    def find(self, kind: type[R], **equal: Any) -> list[R]:
        rows = self._run(self._statements[kind].find(tuple(equal)), equal)
        return [MAPPINGS[kind].record(row) for row in rows]

    def last(self, kind: type[R], **equal: Any) -> R | None:
        statement = self._statements[kind].last(tuple(equal))
        row = self._run(statement, {**equal, "limit": 1}).first()
        return None if row is None else MAPPINGS[kind].record(row)

    def due(self, kind: type[R], field: str, until: float, limit: int | None = None) -> list[R]:
        bounds = {"until": until, "limit": _UNLIMITED if limit is None else limit}
        rows = self._run(self._statements[kind].due(field), bounds)
        return [MAPPINGS[kind].record(row) for row in rows]

    def add(self, record: Record) -> None:
        self.wrote = True
        kind = type(record)
        added = self._run(self._statements[kind].add, MAPPINGS[kind].row(record))
        if added.rowcount != 1:
            raise Duplicate(kind.table)

    def save(self, record: Record) -> None:
        self.wrote = True
        kind = type(record)
        try:
            self._run(self._statements[kind].save, MAPPINGS[kind].row(record))
        except IntegrityError:
            raise Duplicate(kind.table) from None

    def remove(self, record: Record) -> None:
        self.wrote = True
        kind = type(record)
        key = MAPPINGS[kind].key
        self._run(self._statements[kind].remove, {key: getattr(record, key)})

    def on_rollback(self, undo: Callable[[], None]) -> None:
        self.undo.append(undo)


class SqlStore:
    """Durable storage of one lender node.

    `url`: `sqlite:///path` or `postgresql://user:password@host/database`. Tables are created when
    missing. Raises StoreUnavailable.
    """

    def __init__(self, url: str, *, echo: bool = False) -> None:
        self._url = DatabaseUrl(url)
        if self._url.file is not None:
            _make_private(self._url.file)
        self._engine = _engine(self._url.parsed, echo)
        self._statements = {
            kind: Statements(mapping, self._engine.dialect) for kind, mapping in MAPPINGS.items()
        }
        try:
            with self._engine.begin() as connection:
                if self._engine.dialect.name == "postgresql":
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})"))
                METADATA.create_all(connection)
        except SQLAlchemyError as error:
            self._engine.dispose()
            raise self._url.unavailable(error) from None
        self.work = StoreWork()
        self.trouble: StoreUnavailable | None = None
        """Why it cannot be written to: the last write failed, and none has succeeded since."""
        self.written_at = time.monotonic()
        """When the last write succeeded, by the monotonic clock."""
        self._jobs: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._closed = False
        self._closing = Lock()
        self._writer = Thread(target=self._write, name="lender-store", daemon=True)
        self._writer.start()

    def submit(self, work: Callable[[SqlTx], T], stall: float = 0.0) -> Future[T]:
        """Queue `work` for the writer thread; the future has its result once that is durable, or
        what it raised, after its own changes alone were undone. StoreUnavailable in the future:
        the database is gone, or did not confirm the commit. `stall`: seconds for which the commit
        takes longer, as on a slow disk."""
        job = _Job(work, stall)
        with self._closing:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            self._jobs.put(job)
        return job.future

    def transact(self, work: Callable[[SqlTx], T]) -> T:
        """`submit`, and wait."""
        return self.submit(work).result()

    def records(self, kind: type[R]) -> Generator[R, None, None]:
        """All committed records of a kind, oldest first, on a connection of its own."""
        mapping = MAPPINGS[kind]
        table = mapping.table
        query = select(table).order_by(table.c[kind.order], table.c[mapping.key])
        try:
            with self._engine.connect().execution_options(reads=True) as connection:
                for row in connection.execution_options(yield_per=500).execute(query):
                    yield mapping.record(row)
        except DBAPIError as error:
            raise self._url.unavailable(error) from None

    def checkpoint(self) -> None:
        """Move SQLite's write-ahead log into the database file; PostgreSQL does so itself."""
        if self._engine.dialect.name == "sqlite":
            connection = self._engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                connection.close()

    def close(self) -> None:
        """Finish what is queued, then let go of the database."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._writer.join()
        self._engine.dispose()

    # ── the writer thread ───────────────────────────────────────────────────────────────────────

    def _write(self) -> None:
        closed = False
        while not closed:
            group: list[_Job[Any]] = []
            job = self._jobs.get()
            while job is not None:
                # From here on the work cannot be cancelled any more.
                if job.future.set_running_or_notify_cancel():
                    group.append(job)
                if len(group) >= LARGEST_GROUP:
                    break
                try:
                    job = self._jobs.get_nowait()
                except Empty:
                    break
            closed = job is None
            if group:
                began = time.perf_counter()
                self._commit(group)
                self.work.busy += time.perf_counter() - began
                self.work.commits += 1
                self.work.transactions += len(group)

    def _commit(self, group: list[_Job[Any]], repeats: int = REPEATS) -> None:
        """Run the group in one transaction, and only then tell everybody. A deadlock is broken off
        with everything the group has locked, and its pieces of work are run again one by one."""
        outcomes: list[_Outcome] = []
        undo: list[Callable[[], None]] = []
        try:
            with self._engine.begin() as connection:
                began = time.perf_counter()
                for job in group:
                    outcomes.append(self._attempt(connection, job, undo))
                self.work.executing += time.perf_counter() - began
                if stall := max(job.stall for job in group):
                    # Within the transaction, so that what comes meanwhile shares the next one.
                    time.sleep(stall)
        except Exception as error:
            # Whatever it was, nothing of the group is durable, and everybody waits for an answer.
            for step in reversed(undo):
                step()
            if _deadlocked(error) and len(group) > 1:
                for job in group:
                    self._commit([job])
            elif _deadlocked(error) and repeats:
                self._commit(group, repeats - 1)
            else:
                self.trouble = unavailable = self._url.unavailable(error)
                for job in group:
                    job.future.set_exception(unavailable)
            return
        self._judge(outcomes)
        for outcome in outcomes:
            if outcome.raised is None:
                outcome.job.future.set_result(outcome.result)
            else:
                outcome.job.future.set_exception(outcome.raised)

    def _judge(self, outcomes: list[_Outcome]) -> None:
        """What a group that is committed says about the store: reads prove nothing."""
        for outcome in outcomes:
            if isinstance(outcome.raised, StoreUnavailable):
                self.trouble = outcome.raised
                return
        if any(outcome.wrote for outcome in outcomes):
            self.trouble = None
            self.written_at = time.monotonic()

    def _attempt(
        self, connection: Connection, job: _Job[Any], undo: list[Callable[[], None]]
    ) -> _Outcome:
        """What became of one piece of work. Raises DBAPIError when the whole group must be
        given up: the connection is lost, or there is a deadlock."""
        connection.exec_driver_sql("SAVEPOINT work")
        tx = SqlTx(connection, self._statements)
        try:
            result = job.work(tx)
        except BaseException as error:
            for step in reversed(tx.undo):
                step()
            if _deadlocked(error):
                raise
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT work")
            connection.exec_driver_sql("RELEASE SAVEPOINT work")
            if not isinstance(error, DBAPIError) or isinstance(error, _DEFECTS):
                return _Outcome(job, None, error, False)
            return _Outcome(job, None, self._url.unavailable(error), False)
        connection.exec_driver_sql("RELEASE SAVEPOINT work")
        undo += tx.undo
        return _Outcome(job, result, None, tx.wrote)


def _make_private(file: str) -> None:
    """Make the file, for its owner alone, before SQLite does; its log files get the same rights."""
    with suppress(OSError):  # SQLite itself says why it cannot open it
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))


def _engine(url: URL, echo: bool) -> Engine:
    # Named parameters on both, so that one set of statements and rows serves.
    if url.get_backend_name() == "postgresql":
        return create_engine(url, echo=echo, hide_parameters=True)
    engine = create_engine(url, echo=echo, hide_parameters=True, paramstyle="named")

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # The driver's own idea of when to begin would break savepoints.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _deadlocked(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _DEADLOCKS
