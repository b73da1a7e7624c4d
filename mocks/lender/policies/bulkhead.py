"""Bulkhead: so many calls to one gateway at once, and no line behind them.

A slow gateway then holds at most that many of the lender's workers; the rest serve other customers.
"""

from __future__ import annotations


class Bulkhead:
    """`places` calls at once."""

    def __init__(self, places: int) -> None:
        self._free = places

    def enter(self) -> bool:
        """Take a place; False when there is none."""
        if self._free == 0:
            return False
        self._free -= 1
        return True

    def leave(self) -> None:
        """Give the place back."""
        self._free += 1
