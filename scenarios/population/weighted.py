"""Choice by weight, addressed by a 32-bit word."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from typing import Generic, TypeVar

WORD = 2**32

Item = TypeVar("Item")


class Weighted(Generic[Item]):
    """Items with weights: of all the words, each item has its share."""

    __slots__ = ("_cutoffs", "items")

    def __init__(self, weights: Mapping[Item, float]) -> None:
        """Raises ValueError when no weight is positive. Items of weight 0 are left out."""
        kept = {item: weight for item, weight in weights.items() if weight > 0}
        if not kept:
            raise ValueError("give at least one item a positive weight")
        self.items = tuple(kept)
        total = sum(kept.values())
        self._cutoffs = [round(part / total * WORD) for part in accumulate(kept.values())]
        self._cutoffs[-1] = WORD

    def at(self, word: int) -> Item:
        """The item that owns `word`, from 0 to 2**32 - 1."""
        return self.items[bisect_right(self._cutoffs, word)]
