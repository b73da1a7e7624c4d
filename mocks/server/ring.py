"""A bounded log that readers follow by position."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")


class Ring(Generic[T]):
    """The last `size` items, each with a position counted from 0 over the ring's whole life."""

    __slots__ = ("_items", "_next")

    def __init__(self, size: int) -> None:
        self._items: deque[T] = deque(maxlen=size)
        self._next = 0

    def append(self, item: T) -> None:
        """Add `item`; the oldest falls out of a full ring."""
        self._items.append(item)
        self._next += 1

    def since(self, position: int) -> tuple[int, list[T]]:
        """The position to ask from next time, and the items from `position` on that are still
        held, oldest first."""
        wanted = min(max(0, self._next - position), len(self._items))
        newest_first = list(islice(reversed(self._items), wanted))
        newest_first.reverse()
        return self._next, newest_first
