"""What is around the benchmarks: the table, and what must be true for a ratio to mean something.
The ratios themselves are not judged here: they belong to a machine."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import benchmarks.__main__ as command
from benchmarks import node_mock, report_events, tandem_reneging
from benchmarks.result import left_out, report
from benchmarks.table import BEGIN, END, written
from reports.recorder import scan_events

PAGE = Path(command.__file__).parents[1] / "docs" / "benchmarks.md"
HEAVY = {"pydantic", "polars", "matplotlib", "numpy", "scipy", "simpy", "locust", "aiohttp", "dask"}


def test_results_become_rows_of_the_page(capsys):
    report("a_against_b", 2.5, ours_per_second=12345, fine=True, parts=[0.1, 0.2])
    left_out("c_against_node", "there is no node on this machine")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    once = written(page, lines, "On a machine.")
    assert once == (
        f"before\n{BEGIN}\nOn a machine.\n\n"
        "| benchmark | ratio | figures |\n| --- | ---: | --- |\n"
        "| a against b | 2.50 | ours per second 12,345; fine yes; parts 0.1 / 0.2 |\n"
        "| c against node | | left out: there is no node on this machine |\n"
        f"{END}\nafter\n"
    )
    assert written(once, lines, "On a machine.") == once
    with pytest.raises(ValueError, match="no place for the table"):
        written("nothing", lines, "")


def test_every_benchmark_is_there_and_told_on_the_page():
    page = PAGE.read_text(encoding="utf-8")
    written(page, [], "")
    for name in command.BENCHMARKS:
        assert callable(importlib.import_module(f"benchmarks.{name}").main)
        assert f"| `{name}` |" in page


def test_a_benchmark_that_fails_or_hangs_fails_the_whole(tmp_path, monkeypatch, capfd):
    package = tmp_path / "benchmarks"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "breaks.py").write_text('print(\'{"benchmark": "x"}\'); raise SystemExit(3)')
    (package / "hangs.py").write_text("import time\ntime.sleep(600)")
    (package / "works.py").write_text('print(\'{"benchmark": "y", "ratio": 1}\')')
    monkeypatch.chdir(tmp_path)
    assert command.results_of("breaks") == ([{"benchmark": "x"}], False)
    assert command.results_of("works") == ([{"benchmark": "y", "ratio": 1}], True)
    monkeypatch.setattr(command, "MOST_SECONDS", 0.2)
    assert command.results_of("hangs") == ([], False)
    assert "benchmarks.hangs failed" in capfd.readouterr().err


def test_the_help_loads_nothing_heavy():
    code = "import sys, bindrill.cli, typer.rich_utils; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in told.stdout.split()}
    assert not loaded & HEAVY
    assert "typer" in loaded


def test_without_node_the_node_benchmark_is_left_out_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert node_mock.main() == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["left_out"] == "there is no node on this machine"


def test_events_laid_end_to_end_are_whole_customers_once_each(tmp_path, monkeypatch):
    monkeypatch.setattr(report_events, "PART_ROWS", 70)
    times = {name: [0.5, 1.0, 2.0] for name in ("intended", "started", "ended")}
    tile = pl.DataFrame(
        {
            "kind": ["arrival", "call", "end"],
            "customer": [0, -1, 0],
            **{name: [""] * 3 for name in ("step", "gateway", "issuer", "code", "state", "cause")},
            "attempt": [1] * 3,
            "status": [-1] * 3,
            **times,
        },
        schema=report_events.SCHEMA,
    )
    assert report_events.write_events([tile] * 100, tmp_path, 290) == 290
    found = scan_events(tmp_path).collect()
    assert len(found) == 290
    assert len(list((tmp_path / "events").iterdir())) == 5
    arrivals = found.filter(pl.col("kind") == "arrival")
    assert sorted(arrivals["customer"]) == list(range(97))
    assert arrivals["intended"].max() == 0.5 + 96 * report_events.TILE
    assert set(found.filter(pl.col("kind") == "call")["customer"]) == {-1}


def test_the_tandems_play_the_same_draws(monkeypatch):
    monkeypatch.setattr(tandem_reneging, "CUSTOMERS", 1500)
    draws = tandem_reneging.drawn(3)
    ours = tandem_reneging.ours(draws)
    assert ours == tandem_reneging.with_salabim(draws)
    assert all(count > 20 for count in ours)


def test_the_exact_share_is_that_of_a_known_queue(monkeypatch):
    # M/M/1+M with service and patience of the same mean is M/M/infinity as far as the number in it
    # goes: Poisson with mean a, of whom those in line are a - 1 + exp(-a).
    import math

    monkeypatch.setattr(tandem_reneging, "SERVERS", (1,))
    monkeypatch.setattr(tandem_reneging, "SERVICE", 1.0)
    monkeypatch.setattr(tandem_reneging, "PATIENCE", 1.0)
    monkeypatch.setattr(tandem_reneging, "RATE", 2.0)
    assert tandem_reneging.exact_share_left() == pytest.approx((2 - 1 + math.exp(-2)) / 2)


def test_make_bench_writes_the_page():
    makefile = (PAGE.parents[1] / "Makefile").read_text()
    assert re.search(r"python -m benchmarks --write", makefile)
