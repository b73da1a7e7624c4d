"""One simulation of a shipped incident, as its objectives need it."""

from __future__ import annotations

from pathlib import Path

from reports.summary_schema import Summary
from scenarios.objectives import parse_objective
from scenarios.schema import Scenario
from sim.replications import Task, simulate

AGAINST_THE_TWIN = {
    "lost_bindings",
    "amplification",
    "throughput_recovery",
    "drain_time",
    "money_stuck",
}


def played(scenario: Scenario, folder: Path) -> Summary:
    """One simulation, and its twin where an objective needs it."""
    wanted = {parse_objective(text).metric for text in scenario.objectives}
    return simulate(
        Task(
            part=0,
            number=0,
            scenario=scenario,
            folder=folder / "sim",
            keep=False,
            twin=bool(wanted & AGAINST_THE_TWIN),
        )
    )
