"""Steps of people: somebody notices, staff decide, books are made to agree."""

from __future__ import annotations

from typing import Any

from loadtests.drill.done import Done
from loadtests.drill.ground import Ground
from loadtests.process import StackProblem
from scenarios.drill_steps.decide import Decide
from scenarios.drill_steps.detect import Detect


def detect(step: Detect, ground: Ground) -> Done:
    """Wait for the alarm of the health check."""
    since = ground.struck_at
    if not ground.clock.until(lambda: ground.prober.alarm(since), step.timeout):
        raise StackProblem(
            f"the health check raised no alarm in {step.timeout:g} s: it does not see this fault"
        )
    return Done(f"{ground.drill.probe.failures} health checks in a row failed")


def decide(step: Decide, ground: Ground) -> Done:
    """Wait for as long as staff need this time: the same with the same seed."""
    decided = sum(1 for entry in ground.log.result.timeline if entry.do == step.do)
    seconds = ground.drill.decision.at(ground.random.uniform("decision", decided))
    ground.clock.sleep(seconds)
    return Done(f"the order to act after {seconds:.1f} s")


def reconcile(step: Any, ground: Ground) -> Done:
    """Compare the books, and repair what needs no person."""
    return Done(ground.reconcile())


EXECUTORS: dict[str, Any] = {"detect": detect, "decide": decide, "reconcile": reconcile}
