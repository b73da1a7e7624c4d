"""The drills that were carried out, from the runs folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from reports.drills.result import FILE, DrillResult, load_result
from reports.run_folder import RunProblem


def measured_drills(runs: Path) -> dict[str, DrillResult]:
    """Every drill below `runs` that went to its end and was proven, without the testbed at its own
    limit, by the name of its folder, the oldest first. Raises RunProblem when there is no such
    folder, or a drill cannot be read."""
    if not runs.is_dir():
        raise RunProblem(f"{runs} is not a folder; give the one that run folders go to")
    found = {file.parent.name: load_result(file.parent) for file in sorted(runs.glob(f"*/{FILE}"))}
    whole = {
        name: result
        for name, result in found.items()
        if result.state == "complete" and not result.limits and result.proof is not None
    }
    return dict(sorted(whole.items(), key=lambda item: item[1].started_utc))


class _Check(msgspec.Struct):
    took: float
    passed: bool


def passed_checks(runs: Path, names: Iterable[str]) -> list[float]:
    """How long each health check took that passed, in seconds, of the drills in the run folders
    `names` below `runs`. What a kill left of a line is left out."""
    decode = msgspec.json.Decoder(_Check).decode
    found = []
    for name in names:
        file = runs / name / "live" / "probe.jsonl"
        lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
        for line in lines:
            try:
                check = decode(line)
            except msgspec.MsgspecError as error:
                raise RunProblem(f"{file} cannot be read: {error}") from None
            if check.passed:
                found.append(check.took)
    return found
