"""InfluxDB's annotated CSV as the plain table that it means: a row for each time, a column for each
field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from scenarios.problems import Problem, ScenarioProblems

Line = tuple[int, list[str]]

_ABOUT = ("", "result", "table", "_start", "_stop", "_measurement")
"""Columns that say where a row comes from."""
_ABOUT_1 = ("name", "tags")
"""The same in `influx -format csv` of InfluxDB 1, which begins with the first of them."""
_TIME, _FIELD, _VALUE = "_time", "_field", "_value"
_NO_VALUES = (*_ABOUT, *_ABOUT_1, _TIME)
_MOST_FIELDS = 200


def is_of_influx(lines: Sequence[Line]) -> bool:
    """Whether the records of a file are InfluxDB's, with or without annotations."""
    first = next((cells for _, cells in lines if not cells[0].startswith("#")), [])
    return _TIME in _names(first)


def plain_table(path: Path, lines: Sequence[Line]) -> list[Line]:
    """A line of names, `time` first, and a record for each time. Raises ScenarioProblems."""
    fields: dict[str, None] = {}
    found: dict[str, tuple[int, dict[str, str]]] = {}
    for line, record in _records(path, lines):
        values = _values(path, line, record)
        _, known = found.setdefault(record[_TIME], (line, {}))
        if twice := sorted(known.keys() & values.keys()):
            message = f"{twice[0]} is there twice for this time; export one series of each"
            raise _problem(path, line, message)
        known.update(values)
        fields.update(dict.fromkeys(values))
        if len(fields) > _MOST_FIELDS:
            raise _problem(path, line, f"more than {_MOST_FIELDS} fields; export fewer")
    rows = [
        (line, [at, *(values.get(name, "") for name in fields)])
        for at, (line, values) in found.items()
    ]
    return [(lines[0][0], ["time", *fields]), *rows]


def _records(path: Path, lines: Sequence[Line]) -> Iterator[tuple[int, dict[str, str]]]:
    """The records of every table in a file, by column: each table begins with a line of names."""
    heading: list[str] = []
    for line, cells in lines:
        names = _names(cells)
        if cells[0].startswith("#"):
            continue
        if _TIME in names:
            heading = names
        elif len(cells) != len(heading):
            raise _problem(path, line, f"{len(cells)} cells, but {len(heading)} columns")
        else:
            yield line, dict(zip(heading, cells, strict=True))


def _names(cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if names[:1] == [_ABOUT_1[0]]:
        return [_TIME if name == "time" else name for name in names]
    return names


def _values(path: Path, line: int, record: dict[str, str]) -> dict[str, str]:
    """Of a record in the long form the one value by its field; of a pivoted one all columns."""
    if _VALUE not in record:
        return {name: cell for name, cell in record.items() if name not in _NO_VALUES}
    if _FIELD not in record:
        message = "the column is missing; keep it, or write |> pivot(...) in the query"
        raise ScenarioProblems([Problem(str(path), line, _FIELD, message)])
    return {record[_FIELD].strip(): record[_VALUE]}


def _problem(path: Path, line: int, message: str) -> ScenarioProblems:
    return ScenarioProblems([Problem(str(path), line, "", message)])
