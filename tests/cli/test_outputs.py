"""Files that commands write: whether they can be is known first, and they are private."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_process import QUICK, run

from bindrill.errors import for_the_user

Bindrill = Callable[..., Any]


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    (tmp_path / "quick.yaml").write_text(QUICK, encoding="utf-8")
    return tmp_path / "quick.yaml"


SWEEP = ("sweep", "--vary", "arrivals.rate=1/s,2/s", "--jobs", "1", "--measure", "success_rate")


@pytest.mark.parametrize(
    ("command", "most"),
    [(("run", "--sim"), most) for most in (2_000, 20_000, 60_000)]
    + [(SWEEP, most) for most in (2_000, 20_000)],
    ids=lambda value: value[0] if isinstance(value, tuple) else str(value),
)
def test_no_room_is_one_line_that_names_the_file(
    quick: Path, command: tuple[str, ...], most: int
) -> None:
    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    name, *options = command
    done = run(name, quick, *options, "--out", "runs", folder=quick.parent, before=full)
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("bindrill: ")
    assert line.endswith(": File too large")
    assert not list((quick.parent / "runs").rglob(".*.writing"))


def test_outputs_are_looked_at_before_anything_is_measured(
    quick: Path, tmp_path: Path, bindrill: Bindrill
) -> None:
    notes = tmp_path / "README.md"
    notes.write_text("ours", encoding="utf-8")
    for arguments, says in (
        (("calibrate", quick, "--out", quick), "is read too"),
        (("calibrate", quick, "--out", tmp_path), "is a folder"),
        (("calibrate", quick, "--out", tmp_path / "no" / "c.yaml"), "there is no folder"),
        (("calibrate", quick, "--out", "/proc/c.yaml"), "cannot be written"),
        (("calibrate", quick, "--out", notes), "none of this kind"),
        (("fidelity", quick, "--out", quick, "--runs", tmp_path), "is read too"),
        (("fidelity", quick, "--out", notes, "--runs", tmp_path), "README-rows.json"),
        (("drill", "--table", notes), "README-rows.json"),
        (("drill", "--table", "/proc/t.md"), "cannot be written"),
        (("drill", "--calibrate", "/proc/c.yaml"), "cannot be written"),
        (("drill", "backup-restore", "--predict", "--out", notes), "is not a folder"),
        (("run", quick, "--sim", "--out", notes), "is not a folder"),
    ):
        outcome = bindrill(*arguments)
        assert outcome.code == 2, arguments
        assert says in outcome.err, arguments
        assert len(outcome.err.splitlines()) == 1
        assert "Measuring" not in outcome.out
    assert notes.read_text(encoding="utf-8") == "ours"
    assert quick.read_text(encoding="utf-8") == QUICK
    assert {path.name for path in tmp_path.iterdir()} == {"quick.yaml", "README.md"}


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_runs_are_their_owners_alone_whatever_the_mask(quick: Path, mask: int) -> None:
    folder = quick.parent
    done = run("run", quick, "--sim", folder=folder, before=lambda: os.umask(mask) and None)
    assert done.returncode == 0, done.stderr
    runs = folder / "runs"
    for path in (runs, *runs.rglob("*")):
        rights = stat.S_IMODE(path.stat().st_mode)
        assert rights == (0o700 if path.is_dir() else 0o600), path


def test_a_file_that_the_user_named_has_the_rights_of_his_others(tmp_path: Path) -> None:
    recording = tmp_path / "rec.csv"
    recording.write_text("time,arrivals,bank_p50_ms,bank_p99_ms\n0,1,9,20\n60,1,9,30\n")
    for mask, rights in ((0o022, 0o644), (0o077, 0o600)):
        out = tmp_path / f"replay-{mask}.yaml"
        done = run("import", recording, "--out", out, folder=tmp_path,
                     before=lambda mask=mask: os.umask(mask) and None)  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert stat.S_IMODE(out.stat().st_mode) == rights


def test_an_oserror_is_the_users_when_it_names_a_file_or_the_machine_is_out_of_something() -> None:
    assert for_the_user(PermissionError(13, "Permission denied", "x")) == ["x: Permission denied"]
    assert for_the_user(OSError(28, "No space left on device")) == ["No space left on device"]
    assert for_the_user(ConnectionResetError(104, "Connection reset by peer")) is None
    assert for_the_user(ValueError("a defect")) is None
