from __future__ import annotations

from pathlib import Path

import pytest
from fake_runs import STARTED, scenario

from reports.run_folder import RunFolder, RunProblem


def test_a_run_opens_as_it_was_created(tmp_path: Path) -> None:
    made = RunFolder.create(
        tmp_path, scenario(), command=["bindrill", "run", "a b"], started=STARTED
    )
    assert made.path.name == "fake-outage-20260102-030405"
    made.begin("sim", planned=12)
    found = RunFolder.open(made.path)
    assert found.scenario == made.scenario
    assert found.record.command == "bindrill run 'a b'"
    assert found.record.started == "2026-01-02T03:04:05Z"
    assert found.record.versions["polars"]
    assert found.record.machine["cores"] >= 1
    assert found.clocks == ("sim",)
    assert found.record.clocks["sim"].planned == 12
    assert found.record.clocks["sim"].state == "running"


def test_an_existing_folder_is_never_used_again(tmp_path: Path) -> None:
    first = RunFolder.create(tmp_path, scenario(), started=STARTED)
    second = RunFolder.create(tmp_path, scenario(), started=STARTED)
    assert first.path != second.path


def test_passwords_in_the_command_are_not_kept(tmp_path: Path) -> None:
    command = ["bindrill", "run", "--db", "postgresql://me:hunter2@127.0.0.1/x"]
    run = RunFolder.create(tmp_path, scenario(), command=command)
    assert "hunter2" not in (run.path / "run.json").read_text()
    assert "me:***@127.0.0.1" in run.record.command


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "holds no run.json"),
        (b"{not json", "cannot be read"),
        (b"{}", "cannot be read"),
        (
            b'{"scenario": {"name": "x"}, "seed": 1, "started": "", "command": "",'
            b' "versions": {}, "machine": {}}',
            "scenario of another version: duration",
        ),
    ],
)
def test_what_is_not_a_run_is_refused_in_one_line(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    if content is not None:
        (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(RunProblem, match=says) as problem:
        RunFolder.open(tmp_path)
    assert "\n" not in str(problem.value)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunProblem, match="not a folder"):
        RunFolder.open(tmp_path / "nowhere")


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunProblem, match="cannot be made"):
        RunFolder.create(tmp_path / "file", scenario())
