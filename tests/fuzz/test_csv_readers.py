"""Any CSV file is read, or refused with lines that are the user's to mend; in linear time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenarios.arrivals import read_recording as read_seconds
from scenarios.demand import load_peaks, read_forecast
from scenarios.incident import scenario_yaml
from scenarios.prices import PRICES, load_prices
from scenarios.problems import ScenarioProblems
from scenarios.recording import read_recording
from scenarios.schema import Scenario
from scenarios.units import WRITTEN

HEADER = "time,arrivals,bank_p50_ms,bank_p99_ms,bank_error_share"


def _file(rows: Iterable[str], head: str = HEADER, end: str = "\n", coding: str = "utf-8") -> bytes:
    return end.join([head, *rows, ""]).encode(coding)


SEEDS = (
    _file(f"2026-03-11 20:0{n}:00,300,120,1.2 s,1%" for n in range(4)),
    _file(
        (f"{60 * n};1.234,5;0,5;1,25 mins;0,01" for n in range(4)),
        "sep=;\r\n" + HEADER.replace(",", ";"),
        end="\r\n",
    ),
    _file(
        (f"{1773230400 + 60 * n}000000000,1.2 K,850 \u03bcs,12 ms,1" for n in range(3)),
        coding="utf-16",
    ),
    _file(f"{45987.33333 + n / 1440:.5f},5 req/s,1,2," for n in range(3)),
    _file(f"11/27/2026 8:0{n}:00 AM,5,1,2," for n in range(3)),
    _file(
        (
            f",,0,2026-03-11T20:0{n}:00Z,{value},{field}"
            for field, value in (("arrivals", 300), ("bank_error_share", 0.1))
            for n in range(3)
        ),
        "#group,false\n,result,table,_time,_value,_field",
    ),
    b'month,applications,peak_factor,event\n2027-05,4470000,,payday\nJun-27,"4,670,000",9.5,\n',
    b"sep=;\nmonth;applications\n01.03.2027;4.470.000\n",
    b"source, seconds\na,1\nb,2.5\nc,8\n",
)
TOKENS = (
    *(b",", b";", b"\t", b"|", b"\n", b"\r", b'"', b"'", b"#", b"-", b" ", b"e", b"K", b"%", b"/s"),
    *(b"NaN", b"+Inf", b"null", b"1e400", b"1,200", b"0,5", b"1.0000000000000002", b"0", b"-1"),
    *(b"\xff", b"\x00", b"\xc2\xa0", b"\xe2\x88\x92", b"\xef\xbc\x91", b"\xce\xbc", b"\x1b[31m"),
    *(b"\xed\xa0\x80", b"\xe2\x80\xa8", b"9" * 80, b"2026-02-30", b"24:00", b"1969", b"days"),
    *(b"sep=|\n", b"_time", b"_value", b"name,time", b"=cmd|"),
)


@st.composite
def mutated(draw: Any) -> bytes:
    content = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(len(content), start + 20)))
        put = draw(
            st.sampled_from(TOKENS) | st.binary(max_size=8) | st.just(content[start:end] * 3)
        )
        content = content[:start] + put + content[end:]
    return content


def _read(file: Path) -> None:
    """With every reader of CSV files: each reads, or raises what is the user's to mend."""
    for read in (_import, lambda path: read_forecast(path, load_peaks()), _seconds):
        try:
            read(file)
        except ScenarioProblems as problems:
            _check_lines([str(problem) for problem in problems.problems])


def _import(file: Path) -> None:
    recording = read_recording(file)
    text = scenario_yaml(recording, "replay", file.name)
    Scenario.model_validate(yaml.safe_load(text), context=WRITTEN)


def _seconds(file: Path) -> None:
    try:
        read_seconds(file)
    except ValueError as error:
        _check_lines([str(error)])


def _check_lines(lines: list[str]) -> None:
    assert 0 < len(lines) < 60
    for line in lines:
        assert line.isprintable(), line[:700]
        assert len(line) < 700, line[:700]


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=mutated() | st.binary(max_size=200))
def test_any_file_is_read_or_refused(tmp_path_factory: Any, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_bytes(content)
    _read(file)


@settings(max_examples=60, deadline=None)
@given(number=st.text(max_size=20) | st.floats() | st.booleans() | st.none() | st.integers())
def test_any_price_is_read_or_refused(tmp_path_factory: Any, number: Any) -> None:
    prices = yaml.safe_load(PRICES.read_text()) | {"node_month": number}
    file = tmp_path_factory.getbasetemp() / "prices.yaml"
    file.write_text(yaml.safe_dump(prices), encoding="utf-8")
    try:
        load_prices(file)
    except ScenarioProblems as problems:
        _check_lines([str(problem) for problem in problems.problems])


SIZE = 400_000
_LONG = b"_time,_value,_field\n"
LARGE = {
    "one cell": b"1" * SIZE,
    "commas": b"," * SIZE,
    "names": b"a," * SIZE,
    "lines": b"\n" * SIZE,
    "quotes": b'"' * SIZE,
    "open quotes": b'"a' * SIZE,
    "spaces": _file([f"0,{' ' * SIZE}x,0,0,0"]),
    "groups": _file([f'0,"{"1," * SIZE}",0,0,0']),
    "units": _file(["0,1,1m1s1m1s,1m,0"] * (SIZE // 20)),
    "comments": b"#\n" * SIZE,
    "wrong cells": _file(["x,x,x,x,x"] * 10_000),
    "rows": _file(["0,1,1,1,1"] * (SIZE // 10)),
    "fields": _LONG + b"".join(b"%d,1,f%d\n" % (n, n) for n in range(SIZE // 10)),
    "times": _LONG + b"".join(b"%d,1,arrivals\n" % n for n in range(SIZE // 10)),
    "event": b"month,applications,event\n2027-01,1," + b"x+" * SIZE,
    "months": b"month,applications,event\n" + b"2027-01,1,payday+\n" * (SIZE // 20),
}


@pytest.mark.parametrize("content", LARGE.values(), ids=LARGE)
def test_a_large_file_takes_no_more_than_its_share(tmp_path: Path, content: bytes) -> None:
    """What grew with the square of these sizes would take hours."""
    file = tmp_path / "large.csv"
    file.write_bytes(content)
    _read(file)


def test_an_endless_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioProblems, match="is larger than 16,000,000 bytes"):
        read_recording(Path("/dev/zero"))
