"""How long the actions of a drill take, for predicting drills: measured, or the shipped figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from scenarios.data_size import Bytes
from scenarios.distributions import Delay, constant
from scenarios.drill_steps import STEP_KINDS
from scenarios.plain_text import Line
from scenarios.problems import Problem, ScenarioProblems
from scenarios.section import Section, one_of
from scenarios.settings_file import load_settings, save_settings
from scenarios.units import Seconds

SHIPPED = Path(__file__).with_name("drill-calibration.yaml")
"""The figures for whoever has measured none; its comments give their sources."""

_PARTIES = ("lender", "primary", "standby")
_NONE = constant(0.0)


def action_name(do: str, target: str = "") -> str:
    """What a step's time is kept under: `restart lender` for a restart, else what it does."""
    return f"{do} {target}" if do == "restart" and target else do


ACTIONS = tuple(
    name
    for do, kind in STEP_KINDS.items()
    if kind.phase == "act"
    for name in ([action_name(do, party) for party in _PARTIES] if do == "restart" else [do])
)
"""Every step but those whose time the scenario tells."""
DESTROYING = frozenset(do for do, kind in STEP_KINDS.items() if kind.role == "destroys")
"""Those of them that break something: the time to stage it, none where none is given."""


class DrillCalibration(Section):
    """Times in seconds, rates in bytes per second.

    All times are those of a database of `database` bytes; of a larger one, the bytes beyond are
    copied at `copy_rate` by a backup, a `restore` and a `recover-to`. `measured` says where and
    when, for people; `runs` are the names of the run folders that it was fitted to.
    """

    measured: Line
    runs: tuple[Line, ...] = ()
    actions: dict[Annotated[str, one_of(ACTIONS)], Delay]
    check: Delay = Field(description="a health check that passes")
    warm_up: Delay = Field(description="from the last action to the first customer served")
    back: Delay = Field(description="from then on until enough customers are served")
    replication: Delay = Field(description="asynchronous: from a commit to the standby's disk")
    flush_delay: Seconds = Field(description="synchronous_commit off: the most a commit may wait")
    backup: Delay = Field(description="a backup of the database")
    ship: Delay = Field(description="one copy of new log frames, or of a finished log file")
    backup_age: Seconds = Field(gt=0, description="from one base backup of PostgreSQL to the next")
    copy_rate: Bytes = Field(gt=0, description="bytes per second of a backup or a restore")
    replay_rate: Bytes = Field(gt=0, description="bytes per second of log replayed")
    log_size: Bytes = Field(description="log that an acknowledged step of a customer writes")
    database: Bytes = Field(description="size of the database that was measured")

    def action(self, name: str) -> Delay:
        """The time of an action of ACTIONS. Raises ScenarioProblems without one that heals."""
        try:
            return self.actions[name]
        except KeyError:
            if name in DESTROYING:
                return _NONE
            message = f"no time for {name!r}; add it, such as {name}: {{p50: 1s, p99: 3s}}"
            raise ScenarioProblems([Problem("drill calibration", 0, "actions", message)]) from None

    def save(self, path: Path) -> None:
        """Write the file that `load_drill_calibration` reads. Raises OSError."""
        save_settings(path, self)


def load_drill_calibration(path: Path = SHIPPED) -> DrillCalibration:
    """Read a calibration file. Raises ScenarioProblems when it is missing or not one."""
    return load_settings(path, DrillCalibration, written_by="bindrill drill --calibrate FILE")
