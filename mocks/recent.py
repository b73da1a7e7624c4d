"""A mapping that forgets what nobody has used for a while."""

from __future__ import annotations

import math
from typing import Generic, NamedTuple, TypeVar

from mocks.daily_log import HOUR, KEPT_HOURS

K = TypeVar("K")
V = TypeVar("V")

FEW = 100_000
GENERATIONS = 4
"""An entry is forgotten after `keep` at the earliest, and after a third more at the latest while
entries keep coming."""


class Keep(NamedTuple):
    """How long a gateway remembers what nobody uses: orders and counts for `orders` seconds, what
    is on handsets for `handsets`, and more while there are at most `few` of a kind; the settlement
    files' entries for `file_hours`."""

    orders: float = HOUR
    handsets: float = HOUR
    few: int = FEW
    file_hours: int = KEPT_HOURS


class Recent(Generic[K, V]):
    """Keeps each entry for at least `keep` seconds after its last use, and longer while they are
    among the last FEW.

    GENERATIONS of entries: one that is used moves to the young one; when that is full and old
    enough, the eldest one is dropped whole. Every operation takes constant time, and little more
    is held than `keep` asks for.
    """

    __slots__ = ("_born", "_elder", "_full", "_lasts", "_young")

    def __init__(self, keep: float = HOUR, few: int = FEW) -> None:
        self._lasts = keep / (GENERATIONS - 1)
        self._full = math.ceil(few / (GENERATIONS - 1))
        self._born = 0.0
        self._young: dict[K, V] = {}
        self._elder: list[dict[K, V]] = []
        """Youngest first."""

    def get(self, key: K) -> V | None:
        """The value, kept for another while; None when there is none."""
        value = self._young.get(key)
        if value is None:
            for generation in self._elder:
                value = generation.pop(key, None)
                if value is not None:
                    self._young[key] = value
                    break
        return value

    def put(self, key: K, value: V, now: float) -> None:
        """Insert or replace at `now` (seconds)."""
        young = self._young
        if len(young) >= self._full and now - self._born >= self._lasts:
            self._elder = [young, *self._elder[: GENERATIONS - 2]]
            self._born = now
            young = self._young = {}
        elif not young:
            self._born = now
        young[key] = value

    def __len__(self) -> int:
        return len(self._young) + sum(map(len, self._elder))
