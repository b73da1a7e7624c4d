"""CSV files that we write, and read back: text stays text, a record is a line, and the line of
totals cannot be forged.

Texts such as order numbers come from outside. A cell that a spreadsheet would reckon (CWE-1236,
"Formula Elements in a CSV File"), that would break its line, or that looks like the line of totals
is written after an apostrophe, with its control characters as escapes: `'=1+1`, `'TOTAL`, `'a\\nb`.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence

TOTALS = "TOTAL"
"""The first cell of a line of totals, and of no other line."""

Cell = str | int | float
Record = dict[str, str]

_TEXT = "'"
_FORMULA = "=+-@"
_UNSAFE = re.compile("[\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ESCAPE = re.compile(r"\\(?:\\|x([0-9a-f]{2})|u([0-9a-f]{4}))")
_BREAKS_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SEPARATES = re.compile('[",;|]|^ | $')
"""A spreadsheet of another language may split at a semicolon what we separate by commas."""


def as_text(text: str) -> str:
    """`text` as a cell that is nothing but text. `read_back` gives `text` again."""
    # Spreadsheets take the full-width signs too, and some skip spaces before a sign.
    folded = unicodedata.normalize("NFKC", text).strip()
    if (
        not text.startswith(_TEXT)
        and not folded.startswith(tuple(_FORMULA))
        and folded.upper() != TOTALS
        and not _BREAKS_LINE.search(text)
    ):
        return text
    return _TEXT + _UNSAFE.sub(_escaped, text)


def read_back(cell: str) -> str:
    """The text of a cell that `as_text` wrote."""
    if not cell.startswith(_TEXT):
        return cell
    return _ESCAPE.sub(lambda found: chr(int(found[1] or found[2] or "5c", 16)), cell[1:])


def csv_text(
    heading: Sequence[str], records: Iterable[Sequence[Cell]], totals: Sequence[Cell] | None = None
) -> str:
    """A CSV file: a line for `heading`, each record and, after `TOTALS`, the `totals`."""
    lines = [_line(heading), *map(_line, records)]
    if totals is not None:
        lines.append(f"{TOTALS},{_line(totals)}")
    return "".join(f"{line}\n" for line in lines)


def read_csv(text: str) -> tuple[list[Record], list[Record]]:
    """The records and the lines of totals of a file that `csv_text` wrote, by column.

    A file of several days has several lines of totals. Raises ValueError on a file that is no
    table.
    """
    try:
        heading, *lines = filter(None, csv.reader(io.StringIO(text, newline=""), strict=True))
        records = [dict(zip(heading, line, strict=True)) for line in lines]
    except csv.Error as error:
        raise ValueError(str(error)) from None
    first = heading[0]
    return [
        {name: read_back(cell) for name, cell in record.items()}
        for record in records
        if record[first] != TOTALS
    ], [record for record in records if record[first] == TOTALS]


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return r"\\" if found[0] == "\\" else f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def _line(cells: Iterable[Cell]) -> str:
    return ",".join(_cell(cell) for cell in cells)


def _cell(cell: Cell) -> str:
    if not isinstance(cell, str):
        return str(cell)
    text = as_text(cell)
    return '"' + text.replace('"', '""') + '"' if _SEPARATES.search(text) else text
