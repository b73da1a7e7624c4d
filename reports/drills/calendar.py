"""The drill calendar: which drill was last run when, and what came of it, from the runs folder."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from reports.drills.result import FILE, DrillResult, load_result
from reports.run_folder import RunProblem, Verdict
from scenarios.library_index import drill_names


class CalendarRow(msgspec.Struct, frozen=True, kw_only=True):
    """One drill, by its latest run: all but `name` and `runs` are None when it never was.

    `rto`, `rpo` and `age_seconds` are in seconds; `run` is the folder. `rpo` is None where the run
    proved nothing. `due_utc` is a period after the latest run that was judged, met or missed, since
    any other drill shows nothing; without one the drill is overdue now.
    """

    name: str
    runs: int = 0
    run: str | None = None
    last_run_utc: str | None = None
    age_seconds: float | None = None
    verdict: Verdict | None = None
    rto: float | None = None
    rpo: float | None = None
    grade: int | None = None
    due_utc: str | None = None
    overdue: bool = False


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """Every drill of the library and every other one that was run, by name. `unreadable` names run
    folders whose drill.json cannot be read."""

    rows: tuple[CalendarRow, ...]
    unreadable: tuple[str, ...]


class _Run(msgspec.Struct, frozen=True):
    folder: Path
    result: DrillResult
    began: datetime


def drill_calendar(runs: Path, *, now: datetime, every: float | None = None) -> Calendar:
    """The calendar of the run folders in `runs` as of `now`; a folder that is not there holds none.

    `every`: seconds after which a drill is due again; None: nothing is due. Raises RunProblem when
    `runs` is a file.
    """
    if runs.exists() and not runs.is_dir():
        raise RunProblem(f"{runs} is not a folder; give the one that run folders go to")
    found: dict[str, list[_Run]] = {name: [] for name in drill_names()}
    unreadable = []
    for file in sorted(runs.glob(f"*/{FILE}")):
        try:
            result = load_result(file.parent)
            run = _Run(file.parent, result, _time(result.started_utc))
        except (RunProblem, ValueError):
            unreadable.append(str(file.parent))
            continue
        found.setdefault(result.name, []).append(run)
    rows = tuple(_row(name, found[name], now, every) for name in sorted(found))
    return Calendar(rows=rows, unreadable=tuple(unreadable))


def _row(name: str, runs: list[_Run], now: datetime, every: float | None) -> CalendarRow:
    due = _due(runs, every)
    overdue = every is not None and (due is None or due <= now)
    due_utc = None if due is None else _shown(due)
    if not runs:
        return CalendarRow(name=name, due_utc=due_utc, overdue=overdue)
    last = _latest(runs)
    result = last.result
    return CalendarRow(
        name=name,
        runs=len(runs),
        run=str(last.folder),
        last_run_utc=_shown(last.began),
        age_seconds=round((now - last.began).total_seconds(), 3),
        verdict=result.verdict,
        rto=result.rto,
        rpo=None if result.proof is None else result.rpo,
        grade=result.grade,
        due_utc=due_utc,
        overdue=overdue,
    )


def _due(runs: list[_Run], every: float | None) -> datetime | None:
    judged = [run for run in runs if run.result.verdict in ("met", "missed")]
    if every is None or not judged:
        return None
    return _latest(judged).began + timedelta(seconds=every)


def _latest(runs: Iterable[_Run]) -> _Run:
    return max(runs, key=lambda run: (run.began, run.folder.name))


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _shown(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
