"""The lender's storage, as its transactions see it. Two stores speak it: in memory and SQL."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from mocks.lender.records import Record

R = TypeVar("R", bound=Record)


class Duplicate(Exception):
    """A record with this key, or this value of a unique field, is there already."""


class Tx(Protocol):
    """One transaction. Records are values: change one by saving another with the same key."""

    def get(self, kind: type[R], key: str) -> R | None:
        """The record with this key."""

    def find(self, kind: type[R], **equal: Any) -> list[R]:
        """Records whose indexed fields have these values, oldest first."""

    def add(self, record: Record) -> None:
        """Insert. Raises Duplicate."""

    def save(self, record: Record) -> None:
        """Insert or replace by key."""

    def remove(self, record: Record) -> None:
        """Delete by key; nothing happens when it is not there."""
