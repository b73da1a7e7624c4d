"""Steps about backups."""

from __future__ import annotations

from typing import Any

from loadtests.drill.done import Done
from loadtests.drill.ground import Ground
from scenarios.drill_steps.restore import Restore


def restore(step: Restore, ground: Ground) -> Done:
    """A backup in a new place."""
    return ground.topology.restore(ground.struck_at, step.older)


def spoil_backup(step: Any, ground: Ground) -> Done:
    """The newest backup cannot be read."""
    return ground.topology.spoil_backup()


EXECUTORS: dict[str, Any] = {"restore": restore, "spoil-backup": spoil_backup}
