"""Everything that the pack of one drill is made from, read once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from reports.drills.evidence.private import cleaned
from reports.drills.evidence.service import ServiceLevel, service_level
from reports.drills.result import DrillResult, load_result
from reports.run_folder import RunFolder, RunProblem
from scenarios.drill import Drill


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """A drill's result without secrets, what its run says of scenario and machine, and the service
    level of the live clock. `drill`, `command` and `machine` are empty where `run.json` is not
    readable; `zero` is the UTC time of second 0 of the run."""

    run_folder: Path
    result: DrillResult
    zero: datetime
    seed: int | None
    command: str
    machine: dict[str, Any]
    drill: Drill | None
    service: ServiceLevel | None

    def utc(self, second: float) -> str:
        """The UTC time of a second of the run, as `drill.json` writes times."""
        at = self.zero + timedelta(seconds=second)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_dossier(run_folder: Path) -> Dossier:
    """Raises RunProblem when there is no readable `drill.json`."""
    result = cleaned(load_result(run_folder))
    try:
        run = RunFolder.open(run_folder)
    except RunProblem:
        run = None
    return Dossier(
        run_folder=run_folder,
        result=result,
        zero=_zero(result),
        seed=run.record.seed if run else None,
        command=run.record.command if run else "",
        machine=run.record.machine if run else {},
        drill=run.scenario.drill if run else None,
        service=service_level(run_folder / "live"),
    )


def _zero(result: DrillResult) -> datetime:
    """From the first action, whose UTC time and second of the run were read together."""
    try:
        if not result.timeline:
            return _parsed(result.started_utc)
        first = result.timeline[0]
        return _parsed(first.utc) - timedelta(seconds=first.began)
    except ValueError as error:
        raise RunProblem(f"drill.json has a time that is none: {error}") from None


def _parsed(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
