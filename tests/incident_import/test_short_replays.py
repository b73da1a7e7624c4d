"""Recordings of a few rows, and runs that end within one, are replayed and judged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reports import events
from reports.recorder import Recorder, scan_events
from reports.replay import replay
from reports.run_folder import RunFolder
from reports.summary_schema import read_summary
from scenarios.schema import Scenario

HEADER = "time,arrivals,bank_p50_ms,bank_p99_ms,bank_error_share"


def _scenario(rows: int, duration: float, rate: float = 4.0) -> Scenario:
    fault = {"kind": "recorded-series", "target": "bank", "p50": [0.1] * rows, "p99": [0.1] * rows}
    return Scenario.model_validate(
        {
            "name": "short",
            "duration": duration,
            "arrivals": {"kind": "constant", "rate": rate},
            "faults": [fault],
        }
    )


def _played(folder: Path, seconds: float, rate: float = 4.0) -> None:
    with Recorder(folder) as recorder:
        for n in range(int(seconds * rate)):
            recorder.add(events.arrival(n, n / rate, n / rate))
            recorder.add(events.call("bank", "open", "icbc", n / rate, 0.1, 200, "00"))


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6])
def test_every_row_is_judged(tmp_path: Path, rows: int) -> None:
    _played(tmp_path, 60.0 * rows)
    found = replay(scan_events(tmp_path), _scenario(rows, 60.0 * rows))
    assert found is not None
    assert found.replayed == 1.0
    assert {(series.measure, series.judged) for series in found.series} == {
        ("rate", rows),
        ("p50", rows),
        ("p99", rows),
    }


@pytest.mark.parametrize(("duration", "rows"), [(30.0, 1), (90.0, 2), (60.0, 1), (600.0, 6)])
def test_a_run_is_judged_on_the_rows_it_has(tmp_path: Path, duration: float, rows: int) -> None:
    """Of a row that the run cuts short, on what there is of it; after the recording on arrivals."""
    _played(tmp_path, duration)
    found = replay(scan_events(tmp_path), _scenario(6, duration))
    assert found is not None
    rate, p50, _ = found.series
    assert (rate.judged, rate.met) == (round(duration / 60 + 0.4), True)
    assert rate.replayed == (4.0,) * rate.judged
    assert (p50.judged, len(p50.recorded)) == (rows, rows)


def test_few_customers_are_not_judged_by_chance(tmp_path: Path) -> None:
    """Of 2 customers in place of 1 nobody can tell; of 200 in place of 100 anybody can."""
    for rate, within in ((1.0, True), (100.0, False)):
        folder = tmp_path / f"{rate:g}"
        folder.mkdir()
        _played(folder, 1.0, rate=2 * rate)
        found = replay(scan_events(folder), _scenario(2, 1.0, rate=rate))
        assert found is not None
        assert found.series[0].met == within


def _bindrill(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bindrill", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120)


@pytest.mark.parametrize(
    ("rows", "options"), [(2, ()), (4, ()), (6, ("--duration", "30s")), (6, ("--duration", "1s"))]
)
def test_on_the_command_line(tmp_path: Path, rows: int, options: tuple[str, ...]) -> None:
    lines = [HEADER, *(f"{60 * row},60,120,600,0" for row in range(rows))]
    (tmp_path / "short.csv").write_text("\n".join(lines) + "\n")
    assert _bindrill(tmp_path, "import", "short.csv").returncode == 0
    ran = _bindrill(tmp_path, "run", "short.yaml", "--sim", "--out", "runs", *options)
    assert ran.returncode in (0, 99), ran.stderr
    assert "Traceback" not in ran.stderr
    (folder,) = (tmp_path / "runs").iterdir()
    found = read_summary(RunFolder.open(folder).clock_folder("sim")).replay
    assert found is not None
    assert found.replayed is not None
    page = (folder / "report.html").read_text()
    assert "Replay of the recording" in page
    assert "Recorded and replayed" in page


@pytest.mark.parametrize("seed", range(1, 9))
def test_few_calls_are_not_judged_by_chance(bindrill, tmp_path, seed):
    """Three rows of 300 calls, half of which fail, are off by more than two points now and then."""
    rows = "".join(f"2026-11-27T08:0{row}:00,300,100,500,50%\n" for row in range(3))
    file = tmp_path / "few.csv"
    file.write_text("time,arrivals,bank_p50_ms,bank_p99_ms,bank_error_share\n" + rows)
    assert bindrill("import", file, "--out", file.with_suffix(".yaml")).code == 0
    done = bindrill("run", file.with_suffix(".yaml"), "--sim", "--seed", seed, "--out", tmp_path)
    assert "met     replayed >= 90%: 100 %" in done.out


def test_a_gateway_without_any_value_is_refused(bindrill, tmp_path):
    file = tmp_path / "empty.csv"
    rows = "".join(f"2026-11-27T08:0{row}:00,300,,,\n" for row in range(3))
    file.write_text("time,arrivals,bank_p50_ms,bank_p99_ms,bank_error_share\n" + rows)
    refused = bindrill("import", file)
    assert refused.code == 2
    assert refused.err.endswith("no gateway has a value in any row; write some\n")
