"""The drill calendar: every drill, by its latest run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fake_drill import FULL, clean, interrupted, lossy

from reports.drills import calendar
from reports.drills.calendar import CalendarRow, drill_calendar
from reports.drills.result import DrillResult
from reports.run_folder import RunProblem

NOW = datetime(2026, 4, 1, tzinfo=UTC)
DAY = 86400.0


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar, "drill_names", lambda: ["async-failover", "site-loss"])


def save(runs: Path, folder: str, result: DrillResult) -> None:
    (runs / folder).mkdir(parents=True)
    result.save(runs / folder)


def rows(runs: Path, **options: Any) -> dict[str, CalendarRow]:
    return {row.name: row for row in drill_calendar(runs, now=NOW, **options).rows}


def test_the_latest_run_of_each_drill_and_those_never_run(tmp_path: Path) -> None:
    save(tmp_path, "b", lossy(started_utc="2026-03-01T00:00:00.000Z"))
    save(tmp_path, "a", lossy(started_utc="2026-03-22T12:00:00.000Z", rto=9.5))
    save(tmp_path, "c", clean(started_utc="2026-03-02T00:00:00.000Z"))
    found = rows(tmp_path)
    assert list(found) == ["async-failover", "site-loss", "sync-failover"]
    assert found["async-failover"] == CalendarRow(
        name="async-failover", runs=2, run=str(tmp_path / "a"),
        last_run_utc="2026-03-22T12:00:00Z", age_seconds=9.5 * DAY, verdict="missed", rto=9.5,
        rpo=3.217, grade=5,
    )  # fmt: skip
    assert found["sync-failover"].verdict == "met"
    assert found["site-loss"] == CalendarRow(name="site-loss")


def test_an_interrupted_run_is_shown_but_does_not_count_as_done(tmp_path: Path) -> None:
    save(tmp_path, "a", lossy(started_utc="2026-01-01T00:00:00.000Z"))
    save(tmp_path, "b", interrupted())
    row = rows(tmp_path, every=80 * DAY)["async-failover"]
    assert (row.verdict, row.rto, row.rpo) == ("interrupted", None, None)
    assert (row.due_utc, row.overdue) == ("2026-03-22T00:00:00Z", True)


def test_a_drill_that_the_testbed_kept_back_is_due_as_if_it_had_not_been(tmp_path: Path) -> None:
    save(tmp_path, "a", lossy(started_utc="2026-01-01T00:00:00.000Z"))
    save(tmp_path, "b", clean(name="async-failover", limits=(FULL,), judged=False))
    row = rows(tmp_path, every=80 * DAY)["async-failover"]
    assert (row.verdict, row.due_utc) == ("limited", "2026-03-22T00:00:00Z")


def test_due_dates(tmp_path: Path) -> None:
    save(tmp_path, "a", lossy(started_utc="2026-03-22T00:00:00.000Z"))
    assert not rows(tmp_path)["site-loss"].overdue
    within = rows(tmp_path, every=30 * DAY)
    assert within["async-failover"].due_utc == "2026-04-21T00:00:00Z"
    assert not within["async-failover"].overdue
    assert within["site-loss"].due_utc is None
    assert within["site-loss"].overdue
    assert rows(tmp_path, every=9 * DAY)["async-failover"].overdue


def test_unreadable_runs_are_listed_and_others_stay(tmp_path: Path) -> None:
    save(tmp_path, "a", lossy())
    save(tmp_path, "b", lossy(started_utc="yesterday"))
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "drill.json").write_text('{"format": 1, "na', encoding="utf-8")
    (tmp_path / "baseline-20260102-030405").mkdir()
    found = drill_calendar(tmp_path, now=NOW)
    assert found.unreadable == (str(tmp_path / "b"), str(tmp_path / "torn"))
    assert {row.name: row.runs for row in found.rows}["async-failover"] == 1


def test_no_runs_folder_means_never_run_and_a_file_is_refused(tmp_path: Path) -> None:
    assert [row.runs for row in drill_calendar(tmp_path / "none", now=NOW).rows] == [0, 0]
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunProblem, match="is not a folder"):
        drill_calendar(tmp_path / "file", now=NOW)


def test_table_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bindrill.evidence import show_calendar

    monkeypatch.setenv("COLUMNS", "40")
    save(tmp_path, "a", lossy(started_utc="2026-03-22T12:00:00.000Z"))
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "drill.json").write_text("", encoding="utf-8")
    assert show_calendar(tmp_path) == 0
    printed = capsys.readouterr()
    assert [line.split()[:2] for line in printed.out.splitlines()] == [
        ["Drill", "Last"], ["async-failover", "2026-03-22"], ["site-loss", "never"],
    ]  # fmt: skip
    assert "missed" in printed.out
    assert printed.err == f"Not readable: {tmp_path / 'torn'}\n"
    assert show_calendar(tmp_path, every="1d", as_json=True) == 99
    told = json.loads(capsys.readouterr().out)
    assert [row["overdue"] for row in told["rows"]] == [True, True]
    assert told["unreadable"] == [str(tmp_path / "torn")]


@pytest.mark.parametrize("every", ["soon", "0d", "-1d"])
def test_a_period_that_is_none_is_one_line(tmp_path: Path, every: str) -> None:
    from bindrill.errors import InputProblem
    from bindrill.evidence import show_calendar

    with pytest.raises(InputProblem, match="--every"):
        show_calendar(tmp_path, every=every)


def test_a_language_that_is_none_names_those_that_are(tmp_path: Path) -> None:
    from bindrill.errors import InputProblem
    from bindrill.evidence import make_evidence

    with pytest.raises(InputProblem, match="--lang fr: write one of en, zh"):
        make_evidence(tmp_path, lang="fr")
