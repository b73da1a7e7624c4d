"""The database's disk is full."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class FillDisk(DrillStep):
    """Writes of the database are refused."""

    role = "destroys"

    do: Literal["fill-disk"]
