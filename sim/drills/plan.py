"""What all drills of a prediction have in common, and how one differs from the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scenarios.distributions import Delay
from scenarios.drill import Drill
from scenarios.drill_calibration import DrillCalibration
from scenarios.keyed import Keyed
from scenarios.schema import Scenario
from scenarios.topology import PostgresStandby, SqliteBackup, TwoSites
from sim.drills.copies import Schedule
from sim.drills.history import History

Moment = Literal["any", "written"]
"""`any`: disaster strikes at any moment of the load and of every schedule; `written`: at the time
in the scenario, on the load of that run, with schedules that began just before it: a drill that
somebody stages."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A drill to be played many times. `database` is in bytes."""

    scenario: Scenario
    drill: Drill
    calibration: DrillCalibration
    history: History
    database: float
    moment: Moment

    @property
    def copying(self) -> float:
        """Seconds that copying the database takes beyond that of the calibration, whose times
        have the copying in them."""
        more = max(0.0, self.database - self.calibration.database)
        return more / self.calibration.copy_rate

    @property
    def endless(self) -> bool:
        """Whether there was load for ever before the run."""
        return self.moment == "any"


@dataclass(frozen=True, slots=True)
class Fate:
    """The draws of one drill: functions of (seed, drill, what), so that two plans with one seed
    meet the same fates, and a slower restore makes each drill slower."""

    keyed: Keyed
    number: int

    def uniform(self, *what: str | int) -> float:
        """The draw called `what`, in [0, 1)."""
        return self.keyed.uniform("drill", self.number, *what)

    def delay(self, delay: Delay, *what: str | int) -> float:
        """A duration in seconds."""
        return delay.at(self.uniform(*what))


def backups(plan: Plan, fate: Fate) -> Schedule:
    """The backups of the topology: of SQLite by its schedule, of PostgreSQL base backups."""
    topology, calibration = plan.scenario.topology, plan.calibration
    duration = fate.delay(calibration.backup, "backup") + plan.copying
    if isinstance(topology, SqliteBackup):
        return _schedule(plan, fate, "backup phase", topology.backup_every, duration)
    if plan.endless:
        return _schedule(plan, fate, "backup phase", calibration.backup_age, duration)
    return Schedule(calibration.backup_age, duration, -duration, fewest=0)


def shipped_log(plan: Plan, fate: Fate) -> Schedule | None:
    """Copies of the log between backups; None where the topology has none."""
    topology = plan.scenario.topology
    if isinstance(topology, SqliteBackup):
        every = topology.ship_every
    elif isinstance(topology, PostgresStandby | TwoSites):
        every = topology.archive_every
    else:
        every = None
    if every is None:
        return None
    duration = fate.delay(plan.calibration.ship, "ship")
    return _schedule(plan, fate, "ship phase", every, duration)


def _schedule(plan: Plan, fate: Fate, phase: str, every: float, duration: float) -> Schedule:
    schedule = Schedule(every, duration, 0.0)
    # Staged: the first was whole when the load began, since up to one interval.
    schedule.first = -duration - fate.uniform(phase) * schedule.every
    if not plan.endless:
        schedule.fewest = 0
    return schedule
