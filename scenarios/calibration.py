"""Measured service times of one machine, laid over a scenario's world."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import field_validator

from scenarios.contract import OPERATIONS
from scenarios.distributions import Delay
from scenarios.plain_text import Line
from scenarios.schema import Scenario
from scenarios.section import Section, one_of
from scenarios.settings_file import load_settings, save_settings
from scenarios.units import Seconds


class Calibration(Section):
    """What `bindrill calibrate` measures; the fields of `LenderWorld` and `World` it replaces.

    `measured` says where and when, for people.
    """

    measured: Line
    network: Delay
    service: dict[Annotated[str, one_of(("*", *OPERATIONS))], Delay]
    wakeup: Seconds = 0.0
    commit: Delay
    call_overhead: Delay

    @field_validator("service")
    @classmethod
    def _the_rest(cls, service: dict[str, Delay]) -> dict[str, Delay]:
        if "*" not in service:
            raise ValueError("has no '*', which stands for operations that are not listed; add it")
        return service

    def applied(self, scenario: Scenario) -> Scenario:
        """The scenario on the measured machine."""
        lender = scenario.world.lender.model_copy(
            update={
                "service": self.service,
                "wakeup": self.wakeup,
                "commit": self.commit,
                "call_overhead": self.call_overhead,
            }
        )
        world = scenario.world.model_copy(update={"network": self.network, "lender": lender})
        return scenario.model_copy(update={"world": world})

    def save(self, path: Path) -> None:
        """Write the file that `load_calibration` reads. Raises OSError."""
        save_settings(path, self)


def load_calibration(path: Path) -> Calibration:
    """Read a calibration file. Raises ScenarioProblems when it is missing or not one."""
    return load_settings(path, Calibration, written_by="bindrill calibrate")
