"""The lender's storage, as its transactions see it. Two stores speak it: in memory and SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from mocks.lender.records import Record

R = TypeVar("R", bound=Record)


class Duplicate(Exception):
    """A record with this key, or this value of a unique field, is there already."""


class StoreUnavailable(Exception):
    """The database cannot be reached, or did not confirm the commit. One line, no password;
    `reason` is the part that does not say which database."""

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason or message


class Tx(Protocol):
    """One transaction. Records are values: change one by saving another with the same key."""

    @property
    def session(self) -> object:
        """The session with the database: another one may meet another server, with another past."""

    def get(self, kind: type[R], key: str) -> R | None:
        """The record with this key. Where writers compete (PostgreSQL), its row stays locked."""

    def find(self, kind: type[R], **equal: Any) -> list[R]:
        """Records whose fields have these values, oldest first; one field must be indexed or
        unique."""

    def last(self, kind: type[R], **equal: Any) -> R | None:
        """The newest record whose fields have these values."""

    def due(self, kind: type[R], field: str, until: float, limit: int | None = None) -> list[R]:
        """Records whose timed `field` is this moment or an earlier one, earliest first."""

    def add(self, record: Record) -> None:
        """Insert. Raises Duplicate, and the transaction can go on."""

    def save(self, record: Record) -> None:
        """Insert or replace by key. Raises Duplicate, which ends the transaction."""

    def remove(self, record: Record) -> None:
        """Delete by key; nothing happens when it is not there."""

    def on_rollback(self, undo: Callable[[], None]) -> None:
        """Call `undo` if this transaction does not become durable."""
