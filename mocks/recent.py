"""A mapping that forgets what nobody has used for a while."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from mocks.daily_log import HOUR, KEPT_HOURS

K = TypeVar("K")
V = TypeVar("V")

FEW = 100_000


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
    few: at most 2 * max(FEW, entries used in `keep` seconds) are held.

    Two generations: an entry that is used moves to the young one; when that is full and old enough,
    the elder one is dropped whole. Every operation takes constant time.
    """

    __slots__ = ("_born", "_elder", "_few", "_keep", "_young")

    def __init__(self, keep: float = HOUR, few: int = FEW) -> None:
        self._keep = keep
        self._few = few
        self._born = 0.0
        self._young: dict[K, V] = {}
        self._elder: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """The value, kept for another while; None when there is none."""
        value = self._young.get(key)
        if value is None and self._elder:
            value = self._elder.pop(key, None)
            if value is not None:
                self._young[key] = value
        return value

    def put(self, key: K, value: V, now: float) -> None:
        """Insert or replace at `now` (seconds)."""
        young = self._young
        if len(young) >= self._few and now - self._born >= self._keep:
            self._elder, self._young = young, {}
            self._born = now
            young = self._young
        elif not young:
            self._born = now
        young[key] = value

    def __len__(self) -> int:
        return len(self._young) + len(self._elder)
