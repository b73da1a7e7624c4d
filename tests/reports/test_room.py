"""A disk without room is said before a run is played."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reports.room import REPORT, check_room
from reports.run_folder import RunProblem

FREE = 4_000_000


@pytest.fixture(autouse=True)
def disk(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil._ntuple_diskusage(10 * FREE, 9 * FREE, FREE)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)


def test_a_run_that_fits_is_not_stopped(tmp_path: Path) -> None:
    check_room(tmp_path / "not" / "yet", (FREE - REPORT) // 5_500, ("sim", "live"))


def test_a_run_that_cannot_fit_is_refused_with_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(RunProblem, match=r"4 MB free.*1,000 customers writes 5\.3 MB at least"):
        check_room(tmp_path / "runs", 1_000, ("live",))


def test_the_command_refuses_before_it_makes_a_folder(tmp_path: Path, bindrill) -> None:
    outcome = bindrill(
        "run",
        "baseline",
        "--sim",
        "--rate",
        "100/s",
        "--duration",
        "5m",
        "--out",
        tmp_path / "runs",
    )
    assert outcome.code == 2
    assert outcome.err.startswith(f"bindrill: {tmp_path / 'runs'}: there are 4 MB free")
    assert not (tmp_path / "runs").exists()
