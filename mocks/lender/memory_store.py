"""The lender's store in memory: for virtual time, where a run makes tens of millions of
transactions, and for tests."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast

from mocks.lender.records import KINDS, Applicant, AuditEntry, Record
from mocks.lender.store import Duplicate, R

T = TypeVar("T")

AUDIT_KEPT = 10_000
"""With a retention, the newest audit entries that stay."""
APPLICANTS_KEPT = 200_000
"""With a retention, the newest applicants that stay in any case. An older one who comes back is
registered like a new one."""


class _Table(Generic[R]):
    """Records of one kind with their indexes, always in step."""

    __slots__ = ("added", "get_key", "groups", "kept", "kind", "rows", "timed")

    def __init__(self, kind: type[R]) -> None:
        self.kind = kind
        self.rows: dict[str, R] = {}
        self.get_key = attrgetter(kind.__struct_fields__[0])
        # (fields, getter, whether unique, keys by value)
        self.groups: list[tuple[tuple[str, ...], Any, bool, dict[Any, dict[str, None]]]] = [
            ((field,), attrgetter(field), False, {}) for field in kind.indexed
        ]
        self.groups += [(group, attrgetter(*group), True, {}) for group in kind.unique]
        # (field, getter, heap of (moment, key)); entries that no longer hold are dropped on sight
        self.timed: list[tuple[str, Any, list[tuple[float, str]]]] = [
            (field, attrgetter(field), []) for field in kind.timed
        ]
        self.added: deque[str] = deque()
        self.kept = {AuditEntry: AUDIT_KEPT, Applicant: APPLICANTS_KEPT}.get(cast(Any, kind))

    def put(self, key: str, old: R | None, new: R | None) -> None:
        """Replace `old` by `new` under `key`. Raises Duplicate before anything has changed."""
        for group, getter, unique, index in self.groups:
            if unique and new is not None and key not in index.get(getter(new), (key,)):
                raise Duplicate(f"{self.kind.table}: {', '.join(group)}")
        for _, getter, _, index in self.groups:
            before = None if old is None else getter(old)
            after = None if new is None else getter(new)
            if before == after:
                continue
            if old is not None:
                holders = index[before]
                del holders[key]
                if not holders:
                    del index[before]
            if new is not None:
                index.setdefault(after, {})[key] = None
        if new is None:
            self.rows.pop(key, None)
            return
        self.rows[key] = new
        for _, getter, heap in self.timed:
            moment = getter(new)
            if moment is not None and (old is None or getter(old) != moment):
                heappush(heap, (moment, key))


class MemoryStore:
    """Transactions one after another, atomic by an undo log; itself the `Tx` of the running one.

    With `retention` (seconds), finished bindings, finished partner calls and kept replies are
    dropped that long after their end, and of audit entries and applicants only the newest stay
    (AUDIT_KEPT, APPLICANTS_KEPT), so that a day of virtual time fits in memory. A card bound longer
    ago may then be bound again, and a notification about such an old order is not acknowledged.
    """

    def __init__(self, retention: float | None = None) -> None:
        self._retention = retention
        self._tables: dict[type[Record], _Table[Any]] = {kind: _Table(kind) for kind in KINDS}
        self._bounded = [
            (table, table.kept) for table in self._tables.values() if table.kept is not None
        ]
        self._undo: list[tuple[_Table[Any], str, Any] | Callable[[], None]] = []
        self._finished: deque[tuple[float, _Table[Any], Record]] = deque()
        self._newest = 0.0

    def transact(self, work: Callable[[MemoryStore], T]) -> T:
        """Run `work` in one transaction; what it raises undoes everything and comes out here."""
        undo = self._undo
        try:
            result = work(self)
        except BaseException:
            while undo:
                step = undo.pop()
                if isinstance(step, tuple):
                    table, key, old = step
                    table.put(key, table.rows.get(key), old)
                else:
                    step()
            raise
        undo.clear()
        if self._retention is not None:
            self._purge(self._newest - self._retention)
        return result

    def records(self, kind: type[R]) -> Iterator[R]:
        """All records of a kind, oldest first, as they are now."""
        return iter(sorted(self._tables[kind].rows.values(), key=attrgetter(kind.order)))

    # ── the running transaction ─────────────────────────────────────────────────────────────────

    def get(self, kind: type[R], key: str) -> R | None:
        return cast("R | None", self._tables[kind].rows.get(key))

    def find(self, kind: type[R], **equal: Any) -> list[R]:
        table: _Table[R] = self._tables[kind]
        for group, _, _, index in table.groups:
            if all(field in equal for field in group):
                values = tuple(equal[field] for field in group)
                keys = index.get(values if len(values) > 1 else values[0], ())
                rows = [table.rows[key] for key in keys]
                found = [row for row in rows if _has(row, equal)]
                if len(found) > 1:
                    found.sort(key=attrgetter(kind.order))
                return found
        raise LookupError(f"no index of {kind.table} covers {', '.join(equal)}")

    def last(self, kind: type[R], **equal: Any) -> R | None:
        matching = (row for row in self._tables[kind].rows.values() if _has(row, equal))
        return max(matching, key=attrgetter(kind.order), default=None)

    def due(self, kind: type[R], field: str, until: float, limit: int | None = None) -> list[R]:
        table: _Table[R] = self._tables[kind]
        _, getter, heap = next(timed for timed in table.timed if timed[0] == field)
        found: dict[str, R] = {}
        held: list[tuple[float, str]] = []
        while heap and (limit is None or len(found) < limit):
            moment, key = heap[0]
            row = table.rows.get(key)
            holds = row is not None and getter(row) == moment and key not in found
            if holds and moment > until:
                break
            heappop(heap)
            if row is not None and holds:
                found[key] = row
                held.append((moment, key))
        for entry in held:
            heappush(heap, entry)
        return list(found.values())

    def add(self, record: Record) -> None:
        table = self._tables[type(record)]
        key = table.get_key(record)
        if key in table.rows:
            raise Duplicate(f"{table.kind.table}: {key}")
        self._put(table, key, None, record)

    def save(self, record: Record) -> None:
        table = self._tables[type(record)]
        key = table.get_key(record)
        self._put(table, key, table.rows.get(key), record)

    def remove(self, record: Record) -> None:
        table = self._tables[type(record)]
        key = table.get_key(record)
        old = table.rows.get(key)
        if old is not None:
            self._put(table, key, old, None)

    def on_rollback(self, undo: Callable[[], None]) -> None:
        self._undo.append(undo)

    def _put(self, table: _Table[Any], key: str, old: Any, new: Any) -> None:
        table.put(key, old, new)
        self._undo.append((table, key, old))
        if self._retention is None or new is None:
            return
        if old is None and table.kept is not None:
            table.added.append(key)
        finished_at = new.finished_at
        if finished_at is not None:
            self._newest = max(self._newest, finished_at)
            self._finished.append((finished_at, table, new))

    def _purge(self, before: float) -> None:
        finished = self._finished
        while finished and finished[0][0] < before:
            _, table, record = finished.popleft()
            key = table.get_key(record)
            if table.rows.get(key) is record:
                table.put(key, record, None)
        for table, kept in self._bounded:
            while len(table.added) > kept:
                row = table.rows.get(table.added[0])
                if table.kind is Applicant and row is not None and row.created_at >= before:
                    break
                key = table.added.popleft()
                if row is not None:
                    table.put(key, row, None)


def _has(row: Record, equal: dict[str, Any]) -> bool:
    return all(getattr(row, field) == value for field, value in equal.items())
