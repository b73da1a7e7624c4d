"""What a killed command left in the folder of runs, put right: no record says that it still runs,
what was recorded is summarised, and what nobody can use is gone."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import msgspec
import psutil

from reports.claims import FILE as CLAIM
from reports.claims import processes_in
from reports.drills.result import FILE as DRILL
from reports.drills.result import UNDER_WAY, load_result
from reports.run_folder import RunFolder
from reports.verdict import conclude

KILLED = "its process was killed"
_LAST_WORDS = 15.0
"""Seconds that a load generator, which was told to end, may take to write down what it has."""


def put_right(folder: Path) -> None:
    """Settle a folder whose owner is gone: a run or a drill, a search, or several runs below it.

    Raises RunProblem and OSError, leaving it claimed, so that the next command tries again.
    """
    _await_last_words(folder)
    for aside in folder.rglob(".*.writing"):
        aside.unlink(missing_ok=True)
    records = [record.parent for record in folder.rglob("run.json")]
    for record in records:
        _settle(RunFolder.open(record))
        if (record / DRILL).exists():
            _settle_drill(record)
    if not records:
        # Of a search: the measure that was under way.
        shutil.rmtree(folder / "live", ignore_errors=True)
    for claim in folder.rglob(CLAIM):
        claim.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def _settle(run: RunFolder) -> None:
    for clock in run.clocks:
        if run.record.clocks[clock].state == "running":
            conclude(run, clock, state="interrupted", wall_seconds=0.0, note=KILLED)


def _settle_drill(folder: Path) -> None:
    result = load_result(folder)
    if result.note == UNDER_WAY:
        msgspec.structs.replace(result, note=KILLED).save(folder)


def _await_last_words(folder: Path) -> None:
    deadline = time.monotonic() + _LAST_WORDS
    while (left := processes_in(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for process in left:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
