"""Recordings read, and refused with line, column and mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.problems import ScenarioProblems
from scenarios.recording import read_recording

HEADER = "time,arrivals,bank_p50_ms,bank_p99_ms,bank_error_share"


def write(folder: Path, *lines: str) -> Path:
    file = folder / "incident.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_seconds_and_shares(tmp_path: Path) -> None:
    file = write(tmp_path, HEADER, "0,300,120,600,0.02", "60,330,,,2.5%", "120,0,150,900,")
    found = read_recording(file)
    assert (found.step, found.rows, found.began) == (60.0, 3, "0")
    assert found.arrivals == pytest.approx((5.0, 5.5, 0.0))
    assert list(found.gateways) == ["bank"]
    bank = found.gateways["bank"]
    assert bank.p50 == (0.12, None, 0.15)
    assert bank.p99 == (0.6, None, 0.9)
    assert bank.error_share == (0.02, 0.025, None)


@pytest.mark.parametrize(
    ("times", "step"),
    [
        (("2026-03-11T14:00:00", "2026-03-11T14:01:00"), 60.0),
        (("2026-03-11T14:00:00Z", "2026-03-11T14:00:15Z"), 15.0),
        (("2026-03-11 14:00:00", "2026-03-11 14:05:00"), 300.0),
        (("1773237600", "1773237660"), 60.0),
        (("1773237600000", "1773237660000"), 60.0),
    ],
)
def test_times(tmp_path: Path, times: tuple[str, str], step: float) -> None:
    file = write(tmp_path, "time,arrivals,sms_error_share", *(f"{at},60,0" for at in times))
    assert read_recording(file).step == step


def test_the_way_grafana_writes(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "sep=,",
        '"Time","Arrivals","Bank P50 ms","Bank P99 ms","Bank error share"',
        '"2026-03-10 19:00:00","240.5","117.4 ms","1.20 s","0.43%"',
        '"2026-03-10 19:01:00","240.5","NaN","NaN","NaN"',
    )
    bank = read_recording(file).gateways["bank"]
    assert bank.p50 == (pytest.approx(0.1174), None)
    assert bank.p99 == (pytest.approx(1.2), None)
    assert bank.error_share == (pytest.approx(0.0043), None)


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ([], "the file is empty; write a line of column names"),
        ([HEADER, "0,1,1,2,0"], ":1: fewer than two rows"),
        (["time,arrivals", "0,1", "60,1"], ":1: no gateway is recorded; add columns such as"),
        (["time,bank_p50_ms,bank_p99_ms", "0,1,2"], ":1: arrivals: the column is missing"),
        (
            ["time,arrivals,bank_p5_ms", "0,1,1"],
            ":1: bank_p5_ms: there is no such column; did you mean bank_p50_ms?",
        ),
        (["time,arrivals,arrivals", "0,1,1"], ":1: arrivals: the column is there twice"),
        (
            ["time,arrivals,bank_p50_ms", "0,1,1", "60,1,1"],
            ":1: bank_p99_ms: the column is missing; bank_p50_ms needs it",
        ),
        ([HEADER, "0,1,1,2,0", "60,1,1,2"], ":3: 4 cells, but 5 columns"),
        ([HEADER, "0,1,1,2,0", "noon,1,1,2,0"], ":3: time: 'noon' is not a time; write 2026"),
        ([HEADER, "0,1,1,2,0", "0,1,1,2,0"], ":3: time: not later than the row before; sort"),
        (
            [HEADER, *(f"{at},1,1,2,0" for at in (0, 60, 120, 300))],
            ":5: time: 3m after the row before, but rows are 1m apart; add or remove rows",
        ),
        ([HEADER, "0,many,1,2,0", "60,1,1,2,0"], ":2: arrivals: 'many' is not a number"),
        ([HEADER, "0,-3,1,2,0", "60,1,1,2,0"], ":2: arrivals: -3 is below 0"),
        ([HEADER, "0,,1,2,0", "60,1,1,2,0"], ":2: arrivals: nothing is written"),
        ([HEADER, "0,1,fast,2,0", "60,1,1,2,0"], ":2: bank_p50_ms: 'fast' is not a latency"),
        ([HEADER, "0,1,1,,0", "60,1,1,2,0"], ":2: bank_p99_ms: empty; write both"),
        ([HEADER, "0,1,9,2,0", "60,1,1,2,0"], ":2: bank_p99_ms: below p50; are the columns"),
        ([HEADER, "0,1,1,2,7", "60,1,1,2,0"], ":2: bank_error_share: 7 is not from 0 to 1"),
    ],
)
def test_refused_with_line_column_and_mend(tmp_path: Path, lines: list[str], wanted: str) -> None:
    file = write(tmp_path, *lines) if lines else tmp_path / "empty.csv"
    if not lines:
        file.touch()
    with pytest.raises(ScenarioProblems) as raised:
        read_recording(file)
    assert wanted in str(raised.value)
    assert str(raised.value).startswith(str(file))


def test_every_mistake_at_once(tmp_path: Path) -> None:
    file = write(tmp_path, HEADER, "0,x,1,2,0", "60,1,1,2,9", "120,1,y,2,0")
    with pytest.raises(ScenarioProblems) as raised:
        read_recording(file)
    assert [problem.line for problem in raised.value.problems] == [2, 3, 4]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ScenarioProblems, match="there is no such file; give the CSV file"):
        read_recording(tmp_path / "none.csv")
