"""Point-in-time recovery."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from scenarios.drill_steps.base import DrillStep
from scenarios.units import Seconds


class RecoverTo(DrillStep):
    """Backup and archived log are replayed to `before` the start of the last destroying step."""

    role = "heals"
    topologies = ("postgres-standby", "two-sites")

    do: Literal["recover-to"]
    before: Seconds = Field(default=0.0, ge=0, description="seconds before the destroying step")
