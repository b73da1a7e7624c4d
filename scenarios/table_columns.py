"""The columns of a CSV table as numbers, with every cell that is wrong named by line and column."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scenarios.csv_table import Table, fewer
from scenarios.field_numbers import Numerals, is_missing, mark_of, numerals_of
from scenarios.plain_text import quoted
from scenarios.problems import Problem, ScenarioProblems


class TableColumns:
    """Reads the columns of a table whose names are sound; collects what is wrong with cells.

    `numeric` are the columns whose numbers are written alike: all together say whether a comma or a
    point stands before the decimals.
    """

    def __init__(self, table: Table, numeric: Sequence[str]) -> None:
        self._table = table
        self.problems: list[Problem] = []
        self.numerals = self._numerals([name for name in numeric if name in table.names])

    def report(self, row: int, column: str, message: str) -> None:
        """Something is wrong in `row`, counted from 0."""
        line = self._table.rows[row][0]
        self.problems.append(Problem(str(self._table.path), line, column, message))

    def raise_problems(self) -> None:
        """Raises ScenarioProblems when there are any: the first of each column, and how many."""
        if self.problems:
            raise ScenarioProblems(fewer(self.problems))

    def numbers(
        self, name: str, read: Callable[[str], float], *, required: bool = False
    ) -> tuple[float | None, ...]:
        """A column by row, None where nothing was recorded; empty without such a column."""
        if name not in self._table.names:
            return ()
        return tuple(
            self._number(row, name, cell, read, required)
            for row, cell in enumerate(self._table.column(name))
        )

    def _number(
        self, row: int, name: str, cell: str, read: Callable[[str], float], required: bool
    ) -> float | None:
        try:
            if not is_missing(cell):
                return read(cell)
            if required:
                said = f"{quoted(cell)} is no value" if cell else "nothing is written"
                raise ValueError(f"{said}; write a number, 0 for none")
        except ValueError as error:
            self.report(row, name, str(error))
        return None

    def _numerals(self, names: Sequence[str]) -> Numerals:
        cells = [cell for name in names for cell in self._table.column(name)]
        # Where nothing else tells, a comma between commas is one of thousands.
        found = numerals_of(cells, "." if self._table.delimiter == "," else None)
        if isinstance(found, Numerals):
            return found
        name, row = divmod(cells.index(found), len(self._table.rows))
        if mark_of(found) == "?":
            said = "may be thousands or a decimal; write 1200, or 1.2, without separators"
        else:
            said = "has another decimal mark than cells before it; write all with a point"
        self.report(row, names[name], f"{quoted(found)} {said}")
        return Numerals()
