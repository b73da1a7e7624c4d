"""Records as SQL tables: one generic mapping, from the fields' types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Generic, cast

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.types import TypeEngine

from mocks.lender.records import KINDS
from mocks.lender.store import R

METADATA = MetaData()

# Select.limit would bring an anonymous OFFSET parameter with it on SQLite.
_LIMIT = text("LIMIT :limit")

_COLUMN_TYPES: dict[Any, type[TypeEngine[Any]]] = {
    str: Text,
    bytes: LargeBinary,
    int: BigInteger,
    float: Double,
    float | None: Double,
    tuple[str, ...]: Text,
}


class RecordTable(Generic[R]):
    """How one kind of record is written to and read from its table. Lists are JSON texts."""

    def __init__(self, kind: type[R]) -> None:
        self.kind = kind
        fields = msgspec.structs.fields(kind)
        self.key = fields[0].name
        self._to_sql: list[tuple[str, Callable[[Any], Any] | None]] = []
        self._from_sql: list[Callable[[Any], Any] | None] = []
        columns = []
        for field in fields:
            write, read = _conversion(field.type)
            self._to_sql.append((field.name, write))
            self._from_sql.append(read)
            columns.append(
                Column(
                    field.name,
                    _COLUMN_TYPES.get(field.type, Text)(),
                    primary_key=field.name == self.key,
                    nullable=field.type == float | None,
                )
            )
        groups = [UniqueConstraint(*group) for group in kind.unique]
        searched = [
            Index(f"ix_{kind.table}_{field}", field) for field in (*kind.indexed, *kind.timed)
        ]
        self.table = Table(kind.table, METADATA, *columns, *groups, *searched)

    def row(self, record: R) -> dict[str, Any]:
        """The record as parameters by column name."""
        return {
            name: getattr(record, name) if write is None else write(getattr(record, name))
            for name, write in self._to_sql
        }

    def record(self, row: Any) -> R:
        """The record of a row with all columns in order."""
        values = (
            value if read is None else read(value)
            for value, read in zip(row, self._from_sql, strict=True)
        )
        return self.kind(**dict(zip(self.table.columns.keys(), values, strict=True)))


class Statements(Generic[R]):
    """One kind's statements, compiled once for a dialect, to run as text with named parameters."""

    def __init__(self, mapping: RecordTable[R], dialect: Dialect) -> None:
        self._mapping = mapping
        self._dialect = dialect
        table, key = mapping.table, mapping.key
        by_key = table.c[key] == bindparam(key)
        insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
        values: dict[str, Any] = {column.name: bindparam(column.name) for column in table.columns}
        adding = insert(table).values(values)
        others = {name: adding.excluded[name] for name in values if name != key}
        # SQLite has no row locks and ignores FOR UPDATE: its one writer needs none.
        self.get = self._text(select(table).where(by_key).with_for_update())
        self.add = self._text(adding.on_conflict_do_nothing())
        self.save = self._text(adding.on_conflict_do_update(index_elements=[key], set_=others))
        self.remove = self._text(delete(table).where(by_key))
        self._searches: dict[tuple[str, ...], str] = {}

    def find(self, fields: tuple[str, ...]) -> str:
        """Rows with these fields' values, oldest first."""
        return self._search(("find", *fields), self._equal(fields).order_by(*self._order()))

    def last(self, fields: tuple[str, ...]) -> str:
        """The newest `limit` rows with these fields' values."""
        newest = [column.desc() for column in self._order()]
        return self._search(
            ("last", *fields), self._equal(fields).order_by(*newest).suffix_with(_LIMIT)
        )

    def due(self, field: str) -> str:
        """At most `limit` rows whose `field` is not after `until`, earliest first."""
        table = self._mapping.table
        until: Any = bindparam("until", type_=Double())
        query = select(table).where(table.c[field] <= until).order_by(table.c[field])
        return self._search(("due", field), query.suffix_with(_LIMIT))

    def _equal(self, fields: tuple[str, ...]) -> Any:
        table = self._mapping.table
        return select(table).where(*(table.c[name] == bindparam(name) for name in fields))

    def _order(self) -> list[Column[Any]]:
        table = self._mapping.table
        return [table.c[self._mapping.kind.order], table.c[self._mapping.key]]

    def _search(self, name: tuple[str, ...], query: ClauseElement) -> str:
        text = self._searches.get(name)
        if text is None:
            text = self._searches[name] = self._text(query)
        return text

    def _text(self, statement: ClauseElement) -> str:
        return str(statement.compile(dialect=self._dialect))


def _conversion(kind: Any) -> tuple[Callable[[Any], Any] | None, Callable[[Any], Any] | None]:
    if kind == tuple[str, ...]:
        return _write_list, _read_list
    if isinstance(kind, type) and issubclass(kind, Enum):
        return (lambda member: member.value), cast("Callable[[Any], Any]", kind)
    return None, None


def _write_list(values: tuple[str, ...]) -> str:
    return msgspec.json.encode(values).decode()


def _read_list(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])


MAPPINGS: Mapping[type[Any], RecordTable[Any]] = {kind: RecordTable(kind) for kind in KINDS}
