"""`bindrill drill --predict`, `--calibrate` and `--table`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reports.drills.prediction import DrillPrediction, load_prediction
from reports.run_folder import RunProblem

Run = Callable[..., Any]

SHORT = """\
name: short
title: A <short> drill
duration: 30s
arrivals: {kind: constant, rate: 3/s}
journey: {pace: 0.05}
topology: {kind: sqlite-backup, backup_every: 5s}
drill:
  objectives: {rto: RTO, rpo: 20s}
  steps:
    - {do: kill, target: primary, at: 15s}
    - do: detect
    - do: decide
    - do: restore
"""


@pytest.fixture
def short(tmp_path: Path) -> Path:
    file = tmp_path / "short.yaml"
    file.write_text(SHORT.replace("RTO", "60s"))
    return file


def test_predict_prints_a_table_and_writes_figures_and_page(
    bindrill: Run, short: Path, tmp_path: Path
) -> None:
    out = tmp_path / "runs"
    shown = bindrill("drill", short, "--predict", "--drills", 60, "--out", out)
    assert shown.code == 0, shown.err
    for word in ("RTO", "detect", "warm up", "RPO", "bindings lost", "at any moment"):
        assert word in shown.out
    (folder,) = out.iterdir()
    found = load_prediction(folder)
    assert (found.drills, found.scenario, found.moment) == (60, "short", "any")
    page = (folder / "prediction.html").read_text()
    assert "A &lt;short&gt; drill" in page
    assert page.count("<svg") == 4
    assert not re.search(r'(src|href)="(?!#)', page)


def test_a_larger_database_takes_longer_and_misses(
    bindrill: Run, short: Path, tmp_path: Path
) -> None:
    def medians(*more: object) -> tuple[int, float]:
        shown = bindrill("drill", short, "--predict", "--drills", 40, "--json",
                         "--out", tmp_path / "runs", *more)  # fmt: skip
        found = msgspec.json.decode(shown.out, type=DrillPrediction)
        assert found.rto is not None
        return shown.code, found.rto.p50

    assert medians()[0] == 0
    code, slow = medians("--database-size", "500GB")
    assert code == 99
    assert slow > 3600


def test_staged_drills_are_struck_at_the_written_time(
    bindrill: Run, short: Path, tmp_path: Path
) -> None:
    shown = bindrill("drill", short, "--predict", "--drills", 40, "--staged",
                     "--out", tmp_path / "runs")  # fmt: skip
    assert "disaster at the time that is written" in shown.out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--predict",), "--predict needs the name of a drill"),
        (("backup-restore", "--staged"), "--staged belongs to --predict"),
        (("backup-restore", "--drills", "5"), "--drills belongs to --predict"),
        (("backup-restore", "--database-size", "1GB"), "--database-size belongs to --predict"),
        (("backup-restore", "--drill-calibration", "x"), "belongs to --predict or --table"),
        (("backup-restore", "--table", "x.md"), "take no drill"),
        (("--table", "x.md", "--calibrate", "x.yaml"), "are two commands"),
        (("backup-restore", "--predict", "--database-size", "5G"), "--database-size: '5G' is not"),
        (("backup-restore", "--predict", "--drill-calibration", "none.yaml"), "none.yaml: there"),
        (("baseline", "--predict"), "baseline"),
        (("--calibrate", "x.yaml", "--out", "nowhere"), "nowhere is not a folder"),
        (("--table", "x.md", "--out", "nowhere"), "nowhere is not a folder"),
    ],
)
def test_bad_input_is_one_line(bindrill: Run, options: tuple[str, ...], says: str) -> None:
    refused = bindrill("drill", *options)
    assert refused.code == 2
    assert says in refused.err
    assert refused.err.count("\n") == 1


def test_a_folder_without_a_prediction_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunProblem, match=r"holds no prediction\.json"):
        load_prediction(tmp_path)
    (tmp_path / "prediction.json").write_text("{}")
    with pytest.raises(RunProblem, match="cannot be read"):
        load_prediction(tmp_path)
