"""The daily files of partners, as a partner may get them wrong."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from loadtests.reading import ReconcileProblem, read_agreements, read_movements

sys.path.append(str(Path(__file__).parents[1] / "live"))

from raw_servers import RawServer, says
from raw_servers import raw_server as raw_server

HEAD = "agreement_no,order_no,kind,time\n"
TOTAL = "TOTAL,,signed {} terminated 0,\n"
ROW = "1234,b1-open,signed,{}\n"


@pytest.fixture
def partner(raw_server: Callable[..., RawServer]) -> Callable[[bytes], RawServer]:
    """A partner whose every file is these bytes."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n\r\n"
    return lambda content: raw_server(says(head + content))


def test_a_file_of_a_day_is_read(partner) -> None:
    now = time.time()
    content = HEAD + ROW.format(now) + "9,=cmd|x,signed,5\n" + TOTAL.format(2)
    rows = read_agreements(partner(content.encode()).url, now)
    assert {row.order_no for row in rows} == {"b1-open", "=cmd|x"}


WRONG = {
    "empty": b"",
    "head": HEAD.encode(),
    "HTML": b"<html>",
    "cut": (HEAD + ROW.format(1) * 2).encode(),
    "cut totals": (HEAD + "TOTAL\n").encode(),
    "another kind": (HEAD + "1,b,eaten,1\n" + TOTAL.format(0)).encode(),
    "no moment": (HEAD + ROW.format("nan") + TOTAL.format(1)).encode(),
    "NUL": (HEAD + "1\0,b,signed,1\n" + TOTAL.format(1)).encode(),
    "more columns": (HEAD + ROW.format("1,2,3") + TOTAL.format(1)).encode(),
    "a long cell": (HEAD + "1" * 200_000 + ",b,signed,1\n" + TOTAL.format(1)).encode(),
    "long totals": (HEAD + TOTAL.format("9" * 5000)).encode(),
    "other digits": (HEAD + TOTAL.format("²")).encode(),
    "an open quote": (HEAD + '"1,b\n').encode(),
    "UTF-16": HEAD.encode("utf-16"),
    "other totals": (HEAD + ROW.format(1) + TOTAL.format(7)).encode(),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_file_that_is_none_is_one_line(partner, kind: str) -> None:
    with pytest.raises(ReconcileProblem) as caught:
        read_agreements(partner(WRONG[kind]).url, time.time())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("amount", ["0", "-1", "1.5", "1e999", "9" * 5000, "true", "", "１"])
def test_an_amount_in_a_file_is_fen(partner, amount: str) -> None:
    content = (
        "order_no,trade_no,kind,amount_fen,state,time\n"
        f"b1-charge,1,charge,{amount},SUCCESS,1\n"
        f"TOTAL,,charge {amount} refund 0,{amount},,\n"
    )
    with pytest.raises(ReconcileProblem):
        read_movements(partner(content.encode()).url, time.time())
