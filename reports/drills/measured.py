"""The drills that were carried out, from the runs folder."""

from __future__ import annotations

from pathlib import Path

from reports.drills.result import FILE, DrillResult, load_result
from reports.run_folder import RunProblem


def measured_drills(runs: Path) -> dict[str, DrillResult]:
    """Every drill below `runs` that went to its end and was proven, by the name of its folder, the
    oldest first. Raises RunProblem when there is no such folder, or a drill cannot be read."""
    if not runs.is_dir():
        raise RunProblem(f"{runs} is not a folder; give the one that run folders go to")
    found = {file.parent.name: load_result(file.parent) for file in sorted(runs.glob(f"*/{FILE}"))}
    whole = {
        name: result
        for name, result in found.items()
        if result.state == "complete" and result.proof is not None
    }
    return dict(sorted(whole.items(), key=lambda item: item[1].started_utc))
