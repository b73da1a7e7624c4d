"""The lender's store in memory: for virtual time, where a run makes tens of millions of
transactions, and for tests."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from math import inf
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar, cast

from mocks.lender.records import (
    KINDS,
    Applicant,
    AuditEntry,
    Binding,
    IdempotentReply,
    PartnerCall,
    Record,
)
from mocks.lender.store import Duplicate, R

T = TypeVar("T")

AUDIT_KEPT = 10_000
"""With a retention, the newest audit entries that stay."""


class Retention(NamedTuple):
    """How long a store remembers, in seconds: finished bindings, finished partner calls and kept
    replies since their end, applicants since they registered. Of each kind, the newest `few` stay
    in any case."""

    bindings: float
    calls: float
    replies: float
    applicants: float
    few: int

    def of(self, kind: type[Record]) -> float:
        """Seconds for records of `kind`; infinite for those that stay."""
        seconds: dict[type[Record], float] = {
            Binding: self.bindings,
            PartnerCall: self.calls,
            IdempotentReply: self.replies,
            Applicant: self.applicants,
        }
        return seconds.get(kind, inf)


class _Table(Generic[R]):
    """Records of one kind with their indexes, always in step."""

    __slots__ = (
        "added", "by_age", "get_key", "indexed", "kind", "newest_stay", "old", "rows", "timed",
        "unique",
    )  # fmt: skip

    def __init__(self, kind: type[R]) -> None:
        self.kind = kind
        self.rows: dict[str, R] = {}
        self.get_key = attrgetter(kind.__struct_fields__[0])
        # (fields, getter, key by value)
        self.unique: list[tuple[tuple[str, ...], Any, dict[Any, str]]] = [
            (group, attrgetter(*group), {}) for group in kind.unique
        ]
        # (field, getter, keys by value)
        self.indexed: list[tuple[str, Any, dict[Any, tuple[str, ...]]]] = [
            (field, attrgetter(field), {}) for field in kind.indexed
        ]
        # (field, getter, heap of (moment, key)); entries that no longer hold are dropped on sight
        self.timed: list[tuple[str, Any, list[tuple[float, str]]]] = [
            (field, attrgetter(field), []) for field in kind.timed
        ]
        # (since when, key, record) of what may be forgotten some day, oldest first; no record where
        # age alone counts, as a later version may stand in its place
        self.old: deque[tuple[float, str, R | None]] = deque()
        self.by_age = kind is Applicant
        self.added: deque[str] = deque()
        self.newest_stay = cast(Any, kind) is AuditEntry

    def put(self, key: str, old: R | None, new: R | None) -> None:
        """Replace `old` by `new` under `key`. Raises Duplicate before anything has changed."""
        if new is not None:
            for group, getter, holder_of in self.unique:
                if holder_of.get(getter(new), key) != key:
                    raise Duplicate(f"{self.kind.table}: {', '.join(group)}")
        for _, getter, holder_of in self.unique:
            before = None if old is None else getter(old)
            after = None if new is None else getter(new)
            if before == after:
                continue
            if old is not None:
                del holder_of[before]
            if new is not None:
                holder_of[after] = key
        for _, getter, index in self.indexed:
            before = None if old is None else getter(old)
            after = None if new is None else getter(new)
            if before == after:
                continue
            if old is not None:
                others = tuple(held for held in index[before] if held != key)
                if others:
                    index[before] = others
                else:
                    del index[before]
            if new is not None:
                index[after] = (*index.get(after, ()), key)
        if new is None:
            self.rows.pop(key, None)
            return
        self.rows[key] = new
        for _, getter, heap in self.timed:
            moment = getter(new)
            if moment is not None and (old is None or getter(old) != moment):
                heappush(heap, (moment, key))

    def forget(self, before: float, few: int) -> None:
        """Drop what is old since before `before`, except the newest `few`."""
        old = self.old
        while len(old) > few and old[0][0] < before:
            _, key, record = old.popleft()
            held = self.rows.get(key)
            if held is not None and (record is None or held is record):
                self.put(key, held, None)
        for _, getter, heap in self.timed:
            if len(heap) > 2 * len(self.rows) + 1000:
                heap[:] = [
                    (moment, key)
                    for key, row in self.rows.items()
                    if (moment := getter(row)) is not None
                ]
                heapify(heap)


class MemoryStore:
    """Transactions one after another, atomic by an undo log; itself the `Tx` of the running one.

    With `retention`, what is finished is dropped after a while, so that a day of virtual time fits
    in memory. A card bound longer ago may then be bound again, an applicant who comes back is
    registered like a new one, and a notification about such an old order is not acknowledged.
    """

    def __init__(self, retention: Retention | None = None) -> None:
        self._retention = retention
        self._tables: dict[type[Record], _Table[Any]] = {kind: _Table(kind) for kind in KINDS}
        self._audit = self._tables[AuditEntry]
        self._forgets = [
            (table, seconds)
            for kind, table in self._tables.items()
            if retention is not None and (seconds := retention.of(kind)) < inf
        ]
        self._undo: list[tuple[_Table[Any], str, Any] | Callable[[], None]] = []
        self._newest = 0.0
        self._forgets_at = 0.0

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
        if self._newest > self._forgets_at:
            self._forget()
        return result

    def records(self, kind: type[R]) -> Iterator[R]:
        """All records of a kind, oldest first, as they are now."""
        return iter(sorted(self._tables[kind].rows.values(), key=attrgetter(kind.order)))

    # ── the running transaction ─────────────────────────────────────────────────────────────────

    @property
    def session(self) -> object:
        return self

    def get(self, kind: type[R], key: str) -> R | None:
        return cast("R | None", self._tables[kind].rows.get(key))

    def find(self, kind: type[R], **equal: Any) -> list[R]:
        table: _Table[R] = self._tables[kind]
        keys: tuple[str, ...] | None = None
        for group, _, holder_of in table.unique:
            if all(field in equal for field in group):
                values = tuple(equal[field] for field in group)
                holder = holder_of.get(values if len(values) > 1 else values[0])
                keys = () if holder is None else (holder,)
        for field, _, index in table.indexed:
            if keys is None and field in equal:
                keys = index.get(equal[field], ())
        if keys is None:
            raise LookupError(f"no index of {kind.table} covers {', '.join(equal)}")
        found = [row for key in keys if _has(row := table.rows[key], equal)]
        if len(found) > 1:
            found.sort(key=attrgetter(kind.order))
        return found

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
        if not self._forgets or new is None:
            return
        since = new.created_at if table.by_age and old is None else new.finished_at
        if since is not None:
            self._newest = max(self._newest, since)
            table.old.append((since, key, None if table.by_age else new))
        elif table.newest_stay:
            table.added.append(key)

    def _forget(self) -> None:
        retention, now = self._retention, self._newest
        assert retention is not None  # noqa: S101  # narrows the type: somebody forgets
        for table, seconds in self._forgets:
            table.forget(now - seconds, retention.few)
        self._forgets_at = now + min(seconds for _, seconds in self._forgets) / 20
        audit = self._audit
        while len(audit.added) > AUDIT_KEPT:
            key = audit.added.popleft()
            entry = audit.rows.get(key)
            if entry is not None:
                audit.put(key, entry, None)


def _has(row: Record, equal: dict[str, Any]) -> bool:
    return all(getattr(row, field) == value for field, value in equal.items())
