"""Keyed permutations: distinct numbers in, distinct numbers out, in an order that looks random.

They make identities unique by construction: the n-th customer takes the n-th place of a shuffled
space, without a record of the places already taken.
"""

from __future__ import annotations

import sys
from array import array
from hashlib import shake_256

_ENTRIES = 1 << 16
_MASK = _ENTRIES - 1
_ROUNDS = 4


class RoundTables:
    """Random round functions of one seed; permutations of many sizes share them."""

    __slots__ = ("rounds",)

    def __init__(self, seed: int) -> None:
        self.rounds = tuple(self._table(seed, number) for number in range(_ROUNDS))

    @staticmethod
    def _table(seed: int, number: int) -> array[int]:
        table = array("I")
        table.frombytes(
            shake_256(f"permutation {seed} {number}".encode()).digest(_ENTRIES * table.itemsize)
        )
        if sys.byteorder == "big":
            table.byteswap()  # the same permutation on every machine
        return table


class Permutation:
    """A permutation of the numbers below `rows` x `columns`: a four-round Feistel network whose
    halves are a row and a column, each round adding a random function of one half to the other
    (Luby and Rackoff 1988; additive halves of unequal size do for spaces that are not squares)."""

    __slots__ = ("_rounds", "columns", "rows")

    def __init__(self, tables: RoundTables, rows: int, columns: int) -> None:
        self._rounds = tables.rounds
        self.rows = rows
        self.columns = columns

    @property
    def size(self) -> int:
        """How many numbers are permuted."""
        return self.rows * self.columns

    def place(self, number: int) -> tuple[int, int]:
        """The row and the column of `number`. Distinct for distinct numbers below `size`."""
        first, second, third, fourth = self._rounds
        rows, columns = self.rows, self.columns
        row, column = divmod(number, columns)
        row = (row + first[column & _MASK]) % rows
        column = (column + second[row & _MASK]) % columns
        row = (row + third[column & _MASK]) % rows
        column = (column + fourth[row & _MASK]) % columns
        return row, column

    def number(self, row: int, column: int) -> int:
        """The number whose place is (`row`, `column`): the inverse of `place`."""
        first, second, third, fourth = self._rounds
        rows, columns = self.rows, self.columns
        column = (column - fourth[row & _MASK]) % columns
        row = (row - third[column & _MASK]) % rows
        column = (column - second[row & _MASK]) % columns
        row = (row - first[column & _MASK]) % rows
        return row * columns + column
