"""CSV files of our own: no formula, one line a record, totals that nobody forges."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocks.payment.settlement import SettlementRow, settlement_csv
from reports.table_files import write_table_files
from scenarios.csv_cells import as_text, csv_text, read_back, read_csv

HOSTILE = (
    "=cmd|' /C calc'!A0",
    "+1",
    "@x",
    "-2",
    "\t=1",
    "\r=1",
    " =1",
    "＝1",  # a full-width sign
    "TOTAL",
    " total ",
    "a\nTOTAL,,charge 0 refund 0,0,,",
    "a\u2028b",
    "\ud800",
    "'",
    r"'\n",
    'a;=1,"b"',
)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_hostile_text_is_no_formula_and_reads_back(text: str) -> None:
    file = csv_text(("order_no", "fen"), [(text, -1)], totals=(-1,))
    assert len(file.splitlines()) == 3
    _, line, total = csv.reader(io.StringIO(file))
    assert line[0].lstrip()[0] not in "=+-@＝\t\r"
    assert (line[0] == "TOTAL", line[1]) == (False, "-1")
    assert total == ["TOTAL", "-1"]
    records, totals = read_csv(file)
    assert records == [{"order_no": text, "fen": "-1"}]
    assert totals == [{"order_no": "TOTAL", "fen": "-1"}]


@given(st.text(st.characters(exclude_categories=()), max_size=40))
def test_every_text_reads_back(text: str) -> None:
    assert read_back(as_text(text)) == text
    assert read_csv(csv_text(("a", "b"), [(text, "")]))[0] == [{"a": text, "b": ""}]


def test_ordinary_texts_are_as_they_were() -> None:
    row = SettlementRow("bind-0001-charge", "7", "charge", 1, "SUCCESS", 1.5)
    assert settlement_csv([row]).splitlines()[1] == "bind-0001-charge,7,charge,1,SUCCESS,1.5"


@pytest.mark.parametrize("text", ["", "\n", "a,b\n1\n", 'a\n"b', "<html>"])
def test_what_is_no_table_is_a_value_error_or_empty(text: str) -> None:
    try:
        assert read_csv(text) == ([], [])
    except ValueError:
        pass


def test_tables_of_sweeps_and_plans(tmp_path: Path) -> None:
    table = pl.DataFrame({"=path": ["=1", None, "payday"], "n": [-1.5, 2.0, None]})
    file, parquet = write_table_files(table, tmp_path, "sweep")
    assert file.read_text() == "'=path,n\n'=1,-1.5\n,2.0\npayday,\n"
    assert pl.read_parquet(parquet).equals(table)
