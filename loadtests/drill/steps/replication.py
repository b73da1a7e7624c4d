"""Steps about primary and standby."""

from __future__ import annotations

from typing import Any

from loadtests.drill.done import Done
from loadtests.drill.ground import Ground
from loadtests.process import StackProblem
from loadtests.topologies.base import Replicated
from scenarios.drill_steps.lag_replication import LagReplication
from scenarios.drill_steps.recover_to import RecoverTo


def cut_replication(step: Any, ground: Ground) -> Done:
    """Nothing reaches the standby."""
    return _replicated(ground).cut_replication()


def lag_replication(step: LagReplication, ground: Ground) -> Done:
    """Everything reaches the standby late."""
    return _replicated(ground).lag_replication(step.delay)


def mend_replication(step: Any, ground: Ground) -> Done:
    """Neither cut nor late."""
    return _replicated(ground).mend_replication()


def promote(step: Any, ground: Ground) -> Done:
    """The standby takes over."""
    return _replicated(ground).promote()


def revive_primary(step: Any, ground: Ground) -> Done:
    """The old primary is there again."""
    return _replicated(ground).revive_primary()


def switch_back(step: Any, ground: Ground) -> Done:
    """The old primary takes its role again."""
    return _replicated(ground).switch_back()


def recover_to(step: RecoverTo, ground: Ground) -> Done:
    """Back to a moment before it struck."""
    return _replicated(ground).recover_to(ground.struck_at - step.before)


def _replicated(ground: Ground) -> Replicated:
    if not isinstance(ground.topology, Replicated):
        raise StackProblem("there is no standby; write topology: {kind: postgres-standby}")
    return ground.topology


EXECUTORS: dict[str, Any] = {
    "cut-replication": cut_replication,
    "lag-replication": lag_replication,
    "mend-replication": mend_replication,
    "promote": promote,
    "revive-primary": revive_primary,
    "switch-back": switch_back,
    "recover-to": recover_to,
}
