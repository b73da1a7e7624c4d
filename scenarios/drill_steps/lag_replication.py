"""The link from primary to standby is slow."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from scenarios.drill_steps.base import DrillStep
from scenarios.units import Seconds


class LagReplication(DrillStep):
    """What the primary writes reaches the standby `delay` seconds later."""

    role = "destroys"
    felt = False
    topologies = ("postgres-standby", "two-sites")

    do: Literal["lag-replication"]
    delay: Seconds = Field(gt=0, description="from primary to standby")
