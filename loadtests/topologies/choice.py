"""The topology that a scenario asks for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loadtests.postgres.installation import find_installation
from loadtests.process import StackProblem
from loadtests.stack import Stack
from loadtests.topologies.base import Topology
from loadtests.topologies.keys import Keys
from loadtests.topologies.postgres_standby import PostgresStandby
from loadtests.topologies.shipping import find_litestream
from loadtests.topologies.sqlite_backup import SqliteBackup
from loadtests.topologies.two_sites import TwoSites
from scenarios import topology as layout
from scenarios.schema import Scenario


@dataclass(frozen=True)
class Laid:
    """A topology, not started yet, and the key file of its lenders."""

    topology: Topology
    keys: Keys


def require(scenario: Scenario) -> None:
    """Raises StackProblem, which names the command to run, when software is missing that the
    scenario's topology needs."""
    if isinstance(scenario.topology, layout.PostgresStandby | layout.TwoSites):
        find_installation()
    elif isinstance(scenario.topology, layout.SqliteBackup) and scenario.topology.ship_every:
        find_litestream()


def lay_out(scenario: Scenario, stack: Stack, data: Path) -> Laid:
    """What the scenario's topology describes, with its files below `data`. Raises StackProblem."""
    settings = scenario.topology
    fills = scenario.drill is not None and any(s.do == "fill-disk" for s in scenario.drill.steps)
    topology: SqliteBackup | PostgresStandby
    match settings:
        case layout.SqliteBackup():
            topology = SqliteBackup(settings, stack, data)
        case layout.PostgresStandby():
            topology = PostgresStandby(settings, stack, data, small_disk=fills)
        case layout.TwoSites():
            topology = TwoSites(settings, stack, data, small_disk=fills)
        case _:
            raise StackProblem(f"topology {settings.kind} has nothing to destroy")
    return Laid(topology, topology.keys)
