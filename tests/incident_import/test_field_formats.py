"""Times, units and numbers as Grafana, Prometheus, InfluxDB and Excel write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from scenarios.incident import scenario_yaml
from scenarios.problems import ScenarioProblems
from scenarios.recording import Recording, read_recording

HEADER = "time,arrivals,bank_p50_ms,bank_p99_ms,bank_error_share"
ORDINARY = "300,120,600,0.01"
ROWS = 4
SPRING = [f"2026-03-29 {at}" for at in ("01:58", "01:59", "03:00", "03:01")]


def _minute(row: int) -> str:
    return f"2026-03-11 20:0{row}:00"


def _text(
    rest: str = ORDINARY,
    at: Callable[[int], str] = _minute,
    *,
    between: str = ",",
    end: str = "\n",
    before: str = "",
) -> str:
    lines = [HEADER.replace(",", between), *(f"{at(row)}{between}{rest}" for row in range(ROWS))]
    return before + end.join([*lines, ""])


def _read(folder: Path, content: str | bytes) -> Recording:
    file = folder / "incident.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_recording(file)


def _refused(folder: Path, content: str | bytes) -> list[str]:
    with pytest.raises(ScenarioProblems) as raised:
        _read(folder, content)
    prefix = f"{folder / 'incident.csv'}"
    return [str(problem).removeprefix(prefix) for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("rest", "between", "wanted"),
    [
        ('"1,200",120 ms,1.25 mins,1.00%', ",", (1200, 0.12, 75.0, 0.01)),
        ("1.2 K,850 \u03bcs,12 ms,0", ",", (1200, 0.00085, 0.012, 0)),
        ("1.2 K,850 \u00b5s,12 ms,0", ",", (1200, 0.00085, 0.012, 0)),
        ("5 req/s,120ms,1m15.5s,1.0000000000000002", ",", (300, 0.12, 75.5, 1)),
        ("1.2K reqs/s,1.2 K,2 hours,12 %", ",", (72000, 1.2, 7200.0, 0.12)),
        ("300 rpm,3e1,1.2E+03,-1e-17", ",", (300, 0.03, 1.2, 0)),
        ('"1\u00a0200","1\u202f120",2\u2019600,0', ",", (1200, 1.12, 2.6, 0)),
        ("\uff13\uff10\uff10,120,600,\uff11\uff05", ",", (300, 0.12, 0.6, 0.01)),
        ("1.234,5;0,5;1,25;0,01", ";", (1234.5, 0.0005, 0.00125, 0.01)),
        ("1 234;0,5 s;1,25 mins;1,5 %", ";", (1234, 0.5, 75.0, 0.015)),
        ("300;120;600;0.01", ";", (300, 0.12, 0.6, 0.01)),
        ("300\t120\t600\t0.01", "\t", (300, 0.12, 0.6, 0.01)),
        ("300|120|600|0.01", "|", (300, 0.12, 0.6, 0.01)),
        ("300,null,undefined,NaN", ",", (300, None, None, None)),
        ("300,-,,no data", ",", (300, None, None, None)),
        ("3 Mil,120,600,0", ",", (3e6, 0.12, 0.6, 0)),
    ],
)
def test_cells(tmp_path: Path, rest: str, between: str, wanted: tuple[float | None, ...]) -> None:
    found = _read(tmp_path, _text(rest, between=between))
    bank = found.gateways["bank"]
    cells = (60 * found.arrivals[0], bank.p50[0], bank.p99[0], bank.error_share[0])
    assert cells == tuple(None if cell is None else pytest.approx(cell) for cell in wanted)
    assert yaml.safe_load(scenario_yaml(found, "replay", "incident.csv"))["name"] == "replay"


@pytest.mark.parametrize(
    ("at", "step"),
    [
        (lambda row: f"{(1773230400 + 60 * row) * 10**9}", 60),
        (lambda row: f"{(1773230400 + 60 * row) * 10**6}", 60),
        (lambda row: f"{1773230400.123 + 15 * row:.3f}", 15),
        (lambda row: f"{1773230400 + 60 * row:.9e}", 60),
        (lambda row: f"2026-03-11T20:00:{15 * row:02d}.123456789+08:00", 15),
        (lambda row: f"20260311T200{row}00Z", 60),
        (lambda row: f"2026-11-27 08:0{row}:00 +0000 UTC", 60),
        (lambda row: f"2026/11/27 8:0{row}", 60),
        (lambda row: f"2026/11/27 \u4e0b\u5348 8:0{row}:00", 60),
        (lambda row: f"27.11.2026 08:0{row}", 60),
        (lambda row: f"11/27/2026 8:0{row}:00 AM", 60),
        (lambda row: f"27/11/2026 08:0{row}", 60),
        (lambda row: f"03/04/2026 08:0{row}", 60),  # either way the same steps
        (
            lambda row: ("3/4/2026 23:59", "4/4/2026 0:00", "4/4/2026 0:01", "4/4/2026 0:02")[row],
            60,
        ),
        (lambda row: f"{45987.33333 + row / 1440:.5f}", 60),
        (lambda row: f"{60 * row}", 60),
    ],
)
def test_times(tmp_path: Path, at: Callable[[int], str], step: float) -> None:
    assert _read(tmp_path, _text(at=at)).step == pytest.approx(step)


@pytest.mark.parametrize(
    "content",
    [
        _text(before="sep=,\n"),
        _text("300;120;600;0,01", between=";", before="sep=;\r\n", end="\r\n"),
        _text(end="\r", before="sep=,\r"),
        _text(ORDINARY + ","),
        _text(ORDINARY + ",,", before="# from production\n\n"),
        _text().encode("utf-16"),
        _text().encode("utf-8-sig"),
        _text().replace("bank_p50_ms", '" Bank P50\nms "'),
        "\n".join(f"{n - 1 if n else ''},{line}" for n, line in enumerate(_text().splitlines())),
    ],
)
def test_files(tmp_path: Path, content: str | bytes) -> None:
    found = _read(tmp_path, content)
    assert (found.rows, found.step, found.arrivals[0]) == (ROWS, 60.0, 5.0)
    assert found.gateways["bank"].error_share == (0.01,) * ROWS


@pytest.mark.parametrize(
    "head",
    [
        "#group,false\r\n#datatype,string\r\n#default,_result\r\n,result,table,_time,_value,_field\r\n",
        ",result,table,_time,_value,_field\r\n",
    ],
)
def test_annotated_csv(tmp_path: Path, head: str) -> None:
    rows = "".join(
        f",,{table},2026-03-11T20:0{row}:00Z,{value},{field}\r\n"
        for table, (field, value) in enumerate((("arrivals", 300), ("bank_error_share", 0.5)))
        for row in range(3)
    )
    found = _read(tmp_path, head + rows)
    assert (found.rows, found.step, found.arrivals[0]) == (3, 60.0, 5.0)
    assert found.gateways["bank"].error_share == (0.5,) * 3


def test_csv_of_influx_1(tmp_path: Path) -> None:
    times = (1773230400_000000000, 1773230460_000000000)
    lines = ["name,time,arrivals,bank_error_share", *(f"b,{at},300,0" for at in times)]
    assert _read(tmp_path, "\n".join(lines)).step == 60.0


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (_text("1,200;1;2;0", between=";"), ":2: arrivals: '1,200' may be thousands or a decimal"),
        (_text("0,5;1;2;0.01", between=";"), "bank_error_share: '0.01' has another decimal mark"),
        (_text("300,120,+Inf,0"), ":2: bank_p99_ms: '+Inf' is not a latency: it lies beyond"),
        (_text("\u22125,120,600,0"), ":2: arrivals: -5 is below 0"),
        (_text("5 m,120,600,0"), ":2: arrivals: '5 m' is not a number"),
        (_text("1e30,120,600,0"), ":2: arrivals: 1e30 is above 60,000,000"),
        (_text("0,120,600,0"), ":1: arrivals: 0 in every row"),
        (_text("3,1 week,2 weeks,0"), ":2: bank_p50_ms: 1 week is longer than a day"),
        (_text("1,200,120,600,0"), ':2: 6 cells, but 5 columns; write one for each, and quotes'),
        (_text(at=lambda row: f"2026-03-1{row}"), ":3: time: rows are 24h apart"),
        (_text(at=lambda row: f"{60000 * row}"), "are the times milliseconds?"),
        (_text(at=lambda row: f"{row / 60}"), "are the times minutes?"),
        (_text(at=lambda row: f"{1.77e18:.2E}"), "has too few digits to tell rows apart"),
        (_text(at=lambda row: _minute(9 - row)), ":3: time: rows run backwards; sort them by time"),
        (_text(at=lambda row: f"1970-01-21 12:0{row}"), "is not of the years 1990 to 2100"),
        (_text(at=lambda row: f"0{row + 1}/0{row + 3}/2026"), "is the day or the month first?"),
        (_text(at=lambda row: f"{_minute(row)}{'Z' * (row > 0)}"), "has a zone, unlike the first"),
        (_text(at=SPRING.__getitem__), "a change of clocks?"),
        ('time,arrivals\n"0,1', "mend the quotes"),
        (b"time,arr\0ivals\n", "it holds NUL bytes"),
        (b"time,arrivals,bank_p50_ms\n0,1,850 \xb5s\n", "is not UTF-8; save it as CSV in UTF-8"),
    ],
)  # fmt: skip
def test_refused_with_the_cell_and_what_to_write(
    tmp_path: Path, content: str | bytes, wanted: str
) -> None:
    first = _refused(tmp_path, content)[0]
    assert wanted in first
    assert "\n" not in first


def test_hundreds_of_wrong_cells_are_a_few_lines(tmp_path: Path) -> None:
    lines = [HEADER, *(f"{60 * row},x,120,600,y" for row in range(500))]
    found = _refused(tmp_path, "\n".join(lines))
    assert len(found) == 8
    assert ":5: arrivals: and 497 more like these, the last in line 501" in found
