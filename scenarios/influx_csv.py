"""InfluxDB's annotated CSV as the plain table that it means: a row for each time, a column for each
field."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scenarios.problems import Problem, ScenarioProblems

Line = tuple[int, list[str]]

_ABOUT = ("", "result", "table", "_start", "_stop", "_measurement")
"""Columns that say where a row comes from."""
_TIME, _FIELD, _VALUE = "_time", "_field", "_value"
_MOST_FIELDS = 200


def is_annotated(lines: Sequence[Line]) -> bool:
    """Whether the records of a file are those of annotated CSV, with or without annotations."""
    first = next((cells for _, cells in lines if not cells[0].startswith("#")), [])
    return _TIME in map(str.strip, first)


def plain_table(path: Path, lines: Sequence[Line]) -> list[Line]:
    """A line of names, `time` first, and a record for each time. Raises ScenarioProblems."""
    tables = _tables(lines)
    fields: dict[str, None] = {}
    found: dict[str, tuple[int, dict[str, str]]] = {}
    for heading, records in tables:
        for line, cells in records:
            if len(cells) != len(heading):
                raise _problem(path, line, f"{len(cells)} cells, but {len(heading)} columns")
            record = dict(zip(heading, cells, strict=True))
            values = _values(path, line, record)
            _, known = found.setdefault(record[_TIME], (line, {}))
            if twice := sorted(known.keys() & values.keys()):
                message = f"{twice[0]} is there twice for this time; export one series of each"
                raise _problem(path, line, message)
            fields.update(dict.fromkeys(values))
            if len(fields) > _MOST_FIELDS:
                raise _problem(path, line, f"more than {_MOST_FIELDS} fields; export fewer")
            known.update(values)
    first = lines[0][0]
    return [
        (first, ["time", *fields]),
        *(
            (line, [at, *(had.get(name, "") for name in fields)])
            for at, (line, had) in found.items()
        ),
    ]


def _tables(lines: Sequence[Line]) -> list[tuple[list[str], list[Line]]]:
    """The tables of a file: each begins with a line of names, after annotations or a blank line."""
    tables: list[tuple[list[str], list[Line]]] = []
    for line, cells in lines:
        if cells[0].startswith("#"):
            continue
        names = [cell.strip() for cell in cells]
        if _TIME in names:
            tables.append((names, []))
        else:
            tables[-1][1].append((line, cells))
    return tables


def _values(path: Path, line: int, record: dict[str, str]) -> dict[str, str]:
    """Of a record in the long form the one value by its field; of a pivoted one all columns."""
    if _VALUE not in record:
        return {name: cell for name, cell in record.items() if name not in (*_ABOUT, _TIME)}
    if _FIELD not in record:
        message = "the column is missing; keep it, or write |> pivot(...) in the query"
        raise ScenarioProblems([Problem(str(path), line, _FIELD, message)])
    return {record[_FIELD].strip(): record[_VALUE]}


def _problem(path: Path, line: int, message: str) -> ScenarioProblems:
    return ScenarioProblems([Problem(str(path), line, "", message)])
