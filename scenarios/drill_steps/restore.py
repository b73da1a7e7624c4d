"""A backup is restored to a new place."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from scenarios.drill_steps.base import DrillStep
from scenarios.units import Count


class Restore(DrillStep):
    """The lender is started on the newest readable backup, or on one that is `older` by so many."""

    role = "heals"

    do: Literal["restore"]
    older: Count = Field(default=0, ge=0, description="backups to go back beyond the newest")
