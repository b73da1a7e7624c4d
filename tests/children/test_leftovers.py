"""Whose a folder is, and what the next command makes of one whose process is gone."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from bindrill.leftovers import tidy
from reports import claims
from reports.claims import FILE, Owner, abandoned, claim_of, claimed, scratch
from reports.leftovers import KILLED
from reports.run_folder import RunFolder
from scenarios.schema import Scenario
from sim.run import run_sim

SCENARIO = Scenario.model_validate(
    {"name": "small", "duration": 20.0, "arrivals": {"kind": "constant", "rate": 2.0}}
)
HOLD = (
    "import sys, time; from pathlib import Path; from reports.claims import claimed\n"
    "with claimed(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
)


@contextmanager
def held_elsewhere(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process claims `folder`."""
    with subprocess.Popen([sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            yield holder
        finally:
            holder.kill()


def killed(folder: Path) -> None:
    """Another process claims `folder`, and is killed."""
    with held_elsewhere(folder) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait()


def run_under_way(base: Path) -> RunFolder:
    run = RunFolder.create(base, SCENARIO)
    run_sim(SCENARIO, run.begin("sim", planned=40))
    return run


def test_a_claim_ends_with_its_process_however_it_ends(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    assert claim_of(folder)[0] == "none"
    with claimed(folder):
        assert claim_of(folder)[0] == "alive"
    assert claim_of(folder)[0] == "none"
    with held_elsewhere(folder) as holder:
        claim, owner = claim_of(folder)
        assert claim == "alive"
        assert owner is not None
        assert owner.pid == holder.pid
        holder.kill()
        holder.wait()
        assert claim_of(folder)[0] == "abandoned"
    assert abandoned(tmp_path) == [folder]


@pytest.mark.parametrize(
    ("host", "boot", "expected"),
    [
        ("elsewhere", "another boot", "alive"),  # another machine, whose locks we do not see
        ("here", "another boot", "abandoned"),  # this machine was started again since
        ("elsewhere", "this boot", "abandoned"),  # a container of this machine
    ],
)
def test_a_process_elsewhere_is_never_taken_for_dead(tmp_path, monkeypatch, host, boot, expected):
    monkeypatch.setattr(claims.platform, "node", lambda: "here")
    monkeypatch.setattr(claims, "_boot", lambda: "this boot")
    (tmp_path / FILE).write_bytes(msgspec.json.encode(Owner(host, boot, 1)))
    assert claim_of(tmp_path)[0] == expected


def test_a_claim_that_is_being_written_is_respected(tmp_path):
    (tmp_path / FILE).touch()
    assert claim_of(tmp_path)[0] == "alive"


def test_the_next_command_settles_a_killed_run(tmp_path, bindrill):
    run = run_under_way(tmp_path)
    (run.path / ".summary.json.writing").touch()
    killed(run.path)
    shown = bindrill("report", run.path)
    assert shown.code == 130
    assert f"{run.path}: put right what a killed command left" in shown.err
    assert KILLED in shown.out
    record = RunFolder.open(run.path).record.clocks["sim"]
    assert (record.state, record.note) == ("interrupted", KILLED)
    names = {path.name for path in run.path.iterdir()}
    assert names == {"run.json", "report.html", "sim"}
    assert (run.path / "sim" / "summary.json").exists()
    assert "put right" not in bindrill("report", run.path).err


@pytest.mark.parametrize(
    "command",
    [["drill", "--calendar", "--out"], ["run", "baseline", "--sim", "--duration", "1s", "--out"]],
)
def test_every_command_that_knows_the_folder_settles_it(tmp_path, bindrill, command):
    run = run_under_way(tmp_path)
    killed(run.path)
    bindrill(*command, tmp_path)
    assert RunFolder.open(run.path).record.clocks["sim"].state == "interrupted"


def test_a_living_run_is_left_alone(tmp_path, bindrill):
    run = run_under_way(tmp_path)
    with held_elsewhere(run.path) as holder:
        shown = bindrill("report", run.path)
        assert shown.code == 2
        assert f"is being written by process {holder.pid}" in shown.err
        assert RunFolder.open(run.path).record.clocks["sim"].state == "running"
    variant = run.path / "variants" / "a"
    shutil.copytree(run.path / "sim", variant / "sim")
    shutil.copy(run.path / "run.json", variant)
    with held_elsewhere(run.path):
        assert "is being written" in bindrill("report", variant).err


def test_the_measure_under_way_of_a_killed_search_goes_and_what_was_measured_stays(tmp_path):
    search = tmp_path / "small-capacity"
    (search / "live" / "2-0").mkdir(parents=True)
    (search / "measures.jsonl").write_text("{}\n")
    killed(search)
    tidy(tmp_path)
    assert [path.name for path in search.iterdir()] == ["measures.jsonl"]


def test_a_folder_in_which_nothing_was_done_goes(tmp_path):
    empty = tmp_path / "small-sweep"
    empty.mkdir()
    killed(empty)
    tidy(tmp_path)
    assert not empty.exists()


def test_temporary_folders_of_killed_processes_go(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "bindrill-left"
    left.mkdir()
    killed(left)
    with scratch() as used:
        tidy()
        assert used.exists()
    assert list(tmp_path.iterdir()) == []


def test_one_that_cannot_be_put_right_is_said_and_kept(tmp_path, capsys):
    run = run_under_way(tmp_path)
    killed(run.path)
    (run.path / "run.json").write_text("{")
    tidy(tmp_path)
    assert "could not be put right" in capsys.readouterr().err
    assert claim_of(run.path)[0] == "abandoned"
