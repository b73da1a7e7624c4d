"""Reads CSV tables as people and tools write them: Excel, Grafana, Prometheus, InfluxDB.

UTF-8, or UTF-16 with a byte order mark; commas, semicolons, tabs or bars; a first line `sep=;`;
lines of comments (#), blank lines and trailing commas left out; InfluxDB's annotated CSV as the
table that it means.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import msgspec

from scenarios.field_numbers import LONGEST, folded, shown_name
from scenarios.influx_csv import is_of_influx, plain_table
from scenarios.plain_text import quoted
from scenarios.problems import Problem, ScenarioProblems

MOST_BYTES = 16_000_000
"""A week of minutes with every column takes a tenth of it."""
_MOST_CELL = 1000
_MOST_COLUMNS = 200
_DELIMITERS = ",;\t|"
_SEP = re.compile(r'"?sep=(.)"?[,;\t|]*\s*', re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')

Line = tuple[int, list[str]]
"""A record: the line that it begins in, counted from 1, and its cells."""


class Text(msgspec.Struct, frozen=True):
    """A file's text after a line `sep=`, how many lines that left out, and what separates cells."""

    path: Path
    text: str
    skipped: int
    delimiter: str

    def records(self) -> Iterator[Line]:
        """Records that are not blank, comments among them. Raises ScenarioProblems."""
        reader = csv.reader(
            io.StringIO(self.text, newline=""),
            delimiter=self.delimiter,
            skipinitialspace=True,
            strict=True,
        )
        begins = self.skipped + 1
        try:
            for cells in reader:
                if any(map(str.strip, cells)):
                    if max(map(len, cells)) > _MOST_CELL:
                        message = f"a cell of more than {_MOST_CELL} characters; is a quote open?"
                        raise _problem(self.path, message, begins)
                    yield begins, cells
                begins = self.skipped + reader.line_num + 1
        except csv.Error as error:
            raise _problem(
                self.path, f"is no CSV from here on: {error}; mend the quotes", begins
            ) from None


class Table(msgspec.Struct, frozen=True):
    """A table with a name for each column, in lower case with `_` for spaces; as many cells in
    each row, folded (`field_numbers.folded`)."""

    path: Path
    delimiter: str
    first: int
    names: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def column(self, name: str) -> list[str]:
        """The cells of a column by row; empty ones when there is no such column."""
        if name not in self.names:
            return [""] * len(self.rows)
        at = self.names.index(name)
        return [cells[at] for _, cells in self.rows]

    def check_names(self, known: Sequence[str], needed: Mapping[str, str]) -> list[Problem]:
        """What is wrong with the line of names, when only `known` may be in it and `needed` must:
        to each of these, what to write."""
        problems = [_unknown(self, name, known) for name in self.names if name not in known]
        repeated = sorted({name for name in self.names if self.names.count(name) > 1})
        problems += [
            self.problem("the column is there twice; leave one out", name) for name in repeated
        ]
        return problems + [
            self.problem(f"the column is missing; {mend}", name)
            for name, mend in needed.items()
            if name not in self.names
        ]

    def problem(self, message: str, column: str = "") -> Problem:
        """A problem of the whole table, or of a column, at the line of names."""
        return Problem(str(self.path), self.first, shown_name(column), message)


def read_text(path: Path, give: str, most_bytes: int = MOST_BYTES) -> Text:
    """Read a file's text; `give` says what to give when there is none. Raises ScenarioProblems."""
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
        if len(content) > most_bytes:
            raise _problem(path, f"is larger than {most_bytes:,} bytes; export less of it")
        wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))  # "Unicode text" of Excel
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except FileNotFoundError:
        raise _problem(path, f"there is no such file; give {give}") from None
    except UnicodeDecodeError:
        raise _problem(path, "is not UTF-8; save it as CSV in UTF-8") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise _problem(path, f"cannot be read: {why}; save it as CSV in UTF-8") from None
    if "\0" in text:
        raise _problem(path, "is no text: it holds NUL bytes; save it as CSV in UTF-8")
    line = next(iter(text[:20].splitlines(keepends=True)), "")
    said = _SEP.fullmatch(line)
    if said is not None and said[1] in _DELIMITERS:
        return Text(path, text[len(line) :], 1, said[1])
    return Text(path, text, 0, _delimiter(text))


def read_table(path: Path, give: str, *, short: bool = False) -> Table:
    """Read a table; `give` says what to give when there is no such file. Rows may end before the
    last columns if `short`. Raises ScenarioProblems with every line of too many or too few cells.
    """
    source = read_text(path, give)
    lines = list(source.records())
    if is_of_influx(lines):
        lines = plain_table(path, lines)
    else:
        lines = [(line, cells) for line, cells in lines if not cells[0].startswith("#")]
    if not lines:
        raise _problem(path, "the file is empty; write a line of column names, and a line a row")
    (first, heading), *records = lines
    names = [re.sub(r"[\s.\-]+", "_", folded(name).lower()) for name in heading]
    while names and not names[-1]:  # trailing commas
        names.pop()
    if len(names) > _MOST_COLUMNS:
        raise _problem(path, f"{len(names):,} columns; leave at most {_MOST_COLUMNS}", first)
    problems = []
    rows = []
    for line, cells in records:
        missing = len(names) - len(cells)
        if missing > 0 and short:
            cells += [""] * missing
        elif missing > 0 or any(map(str.strip, cells[len(names) :])):
            problems.append(Problem(str(path), line, "", _ragged(cells, len(names))))
        rows.append((line, tuple(map(folded, cells[: len(names)]))))
    if problems:
        raise ScenarioProblems(fewer(problems))
    table = Table(path, source.delimiter, first, tuple(names), tuple(rows))
    return _without_nameless(table)


def fewer(problems: Sequence[Problem], most: int = 3) -> list[Problem]:
    """The first few problems of each column, and how many more there are."""
    by_column: dict[str, list[Problem]] = {}
    for problem in problems:
        by_column.setdefault(problem.field, []).append(problem)
    found = []
    for column, those in by_column.items():
        found += those[:most]
        if len(those) > most:
            last = those[-1]
            message = f"and {len(those) - most:,} more like these, the last in line {last.line}"
            found.append(Problem(last.file, those[most].line, column, message))
    return found


def _delimiter(text: str) -> str:
    """The separator that the first line that is no comment has most of."""
    for line in io.StringIO(text[: 100 * _MOST_CELL]):
        if line.strip() and not line.startswith("#"):
            bare = _QUOTED.sub("", line)
            return max(_DELIMITERS, key=bare.count)
    return ","


def _without_nameless(table: Table) -> Table:
    """A nameless column that holds nothing, or counts the rows (pandas), is left out."""
    names, rows = table.names, table.rows
    for at in reversed([at for at, name in enumerate(names) if not name]):
        for row, (line, cells) in enumerate(rows):
            if cells[at] not in ("", str(row)):
                message = f"cell {at + 1} is {quoted(cells[at])}, but that column has no name"
                raise _problem(table.path, f"{message}; give it one, or leave it out", line)
        names = names[:at] + names[at + 1 :]
        rows = tuple((line, cells[:at] + cells[at + 1 :]) for line, cells in rows)
    return Table(table.path, table.delimiter, table.first, names, rows)


def _ragged(cells: Sequence[str], columns: int) -> str:
    mend = "write one for each"
    if len(cells) > columns:
        mend += ', and quotes around a number with commas: "1,200"'
    return f"{len(cells)} cells, but {columns} columns; {mend}"


def _unknown(table: Table, name: str, known: Sequence[str]) -> Problem:
    near = get_close_matches(name[:LONGEST], known, n=1)
    mend = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return table.problem(f"there is no such column; {mend} (leave others out)", name)


def _problem(path: Path, message: str, line: int = 0) -> ScenarioProblems:
    return ScenarioProblems([Problem(str(path), line, "", message)])
