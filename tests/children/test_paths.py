"""Folders whose names mean something to URLs, patterns, sockets and shells."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from loadtests.postgres.workspace import reachable
from loadtests.stack import Stack
from mocks.lender.database_url import DatabaseUrl, sqlite_url
from mocks.lender.records import Applicant
from mocks.lender.sql_store import SqlStore
from reports.events import arrival
from reports.recorder import Recorder, readable_parts, scan_events
from reports.run_folder import RunProblem, new_folder
from scenarios.schema import Scenario

NAMES = (
    "feature%2Flogin", "what?now", "a#b&c=d", "sp ace", "[1]*", "{a,b}", "é 中文", "q'\"`$(x)",
    "new\nline", "%s%(x)s", "back\\slash", "~root", "x" * 200,
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_an_sqlite_file_is_where_its_url_says(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    store = SqlStore(sqlite_url(folder / "lender.db"))
    assert list(store.records(Applicant)) == []
    store.close()
    assert (folder / "lender.db").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_path_that_is_encoded_is_read_as_such(tmp_path):
    (tmp_path / "what?now").mkdir()
    url = DatabaseUrl(f"sqlite:///{tmp_path}/what%3Fnow/lender.db").parsed
    assert url.database == f"{tmp_path}/what?now/lender.db"


@pytest.mark.parametrize("name", NAMES)
def test_events_are_found_again(tmp_path, name):
    recorder = Recorder(tmp_path / name)
    recorder.add(arrival(1, 0.0, 0.0))
    recorder.close()
    assert len(readable_parts(tmp_path / name)) == 1
    assert len(scan_events(tmp_path / name).collect()) == 1


def test_a_folder_whose_name_is_not_text_is_one_line():
    bad = Path("/nowhere/bad\udcff")
    with pytest.raises(RunProblem, match=r"bad\\xff is not UTF-8 text"):
        new_folder(bad, "run")
    scenario = Scenario.model_validate(
        {"name": "x", "duration": 1.0, "arrivals": {"kind": "constant", "rate": 1.0}}
    )
    with pytest.raises(RunProblem, match="is not UTF-8 text"):
        Stack(scenario, bad)


@pytest.mark.parametrize("name", ["sp ace", "q'uote", "$(touch x)", "a,b", "x" * 80])
def test_postgres_is_given_a_plain_folder(tmp_path, monkeypatch, name):
    (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / name))
    assert reachable() == Path("/tmp")
