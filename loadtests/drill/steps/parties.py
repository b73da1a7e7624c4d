"""Steps that strike or revive a process."""

from __future__ import annotations

from typing import Any

from loadtests.drill.done import Done
from loadtests.drill.ground import Ground
from scenarios.drill_steps.freeze import Freeze
from scenarios.drill_steps.kill import Kill
from scenarios.drill_steps.restart import Restart
from scenarios.drill_steps.thaw import Thaw


def kill(step: Kill, ground: Ground) -> Done:
    """SIGKILL."""
    return ground.topology.kill(step.target)


def freeze(step: Freeze, ground: Ground) -> Done:
    """SIGSTOP."""
    return ground.topology.freeze(step.target)


def thaw(step: Thaw, ground: Ground) -> Done:
    """SIGCONT."""
    return ground.topology.thaw(step.target)


def restart(step: Restart, ground: Ground) -> Done:
    """Start it again."""
    return ground.topology.restart(step.target)


EXECUTORS: dict[str, Any] = {"kill": kill, "freeze": freeze, "thaw": thaw, "restart": restart}
