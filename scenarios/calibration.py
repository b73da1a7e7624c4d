"""Measured service times of one machine, laid over a scenario's world."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from scenarios.distributions import Delay
from scenarios.problems import Problem, ScenarioProblems
from scenarios.schema import Scenario
from scenarios.section import Section
from scenarios.units import WRITTEN, Seconds


class Calibration(Section):
    """What `bindrill calibrate` measures; the fields of `LenderWorld` and `World` it replaces.

    `measured` says where and when, for people.
    """

    measured: str
    network: Delay
    service: dict[str, Delay]
    wakeup: Seconds = 0.0
    commit: Delay
    call_overhead: Delay

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
        """Write the file that `load_calibration` reads."""
        text = yaml.safe_dump(
            self.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100
        )
        path.write_text(text, encoding="utf-8")


def load_calibration(path: Path) -> Calibration:
    """Read a calibration file. Raises ScenarioProblems when it is missing or not one."""
    try:
        return Calibration.model_validate(
            yaml.safe_load(path.read_text(encoding="utf-8")), context=WRITTEN
        )
    except FileNotFoundError:
        message = "there is no such file; write one with `bindrill calibrate`"
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        message = f"cannot be read: {' '.join(str(error).split())}"
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = f"{where}: {first['msg']}; write it again with `bindrill calibrate`"
    raise ScenarioProblems([Problem(str(path), 1, "", message)])
