"""What the steps of one drill work on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loadtests.drill.clock import DrillClock
from loadtests.drill.log import DrillLog
from loadtests.drill.probe import Prober
from loadtests.topologies.base import Topology
from loadtests.topologies.keys import Keys
from reports.drills.fault import fault_entry
from scenarios.drill import Drill
from scenarios.keyed import Keyed
from scenarios.schema import Scenario


@dataclass
class Ground:
    """`reconcile` compares lender, bank and payment gateway, repairs what is safe, and returns a
    line on it."""

    scenario: Scenario
    drill: Drill
    topology: Topology
    keys: Keys
    prober: Prober
    clock: DrillClock
    log: DrillLog
    random: Keyed
    reconcile: Callable[[], str]

    @property
    def struck_at(self) -> float:
        """When the last step that customers could feel began, in seconds since the epoch; now
        without one."""
        entry = fault_entry(
            self.log.result.timeline, synchronous=synchronous(self.scenario), last=True
        )
        return self.clock.origin + (self.clock.now() if entry is None else entry.began)


def synchronous(scenario: Scenario) -> bool:
    """Whether commits wait for a standby."""
    return bool(getattr(scenario.topology, "synchronous", False))
