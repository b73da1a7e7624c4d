"""How each step of a drill is carried out in wall time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loadtests.drill.done import Done
from loadtests.drill.ground import Ground
from loadtests.drill.steps import backups, damage, parties, people, replication, sites
from scenarios.drill_steps import DrillStep

Executor = Callable[[Any, Ground], Done]
"""Takes a step of its kind, and returns once that is done. Raises StackProblem and Stopped."""

EXECUTORS: dict[str, Executor] = {
    **backups.EXECUTORS,
    **damage.EXECUTORS,
    **parties.EXECUTORS,
    **people.EXECUTORS,
    **replication.EXECUTORS,
    **sites.EXECUTORS,
}
"""By the step's `do`; one for each of `scenarios.drill_steps.STEP_KINDS`."""


def carry_out(step: DrillStep, ground: Ground) -> Done:
    """Do what `step` says. Raises StackProblem and Stopped."""
    return EXECUTORS[step.do](step, ground)
