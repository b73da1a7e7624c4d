"""The newest backup cannot be read."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class SpoilBackup(DrillStep):
    """The newest backup is damaged, so that an older one must serve."""

    role = "destroys"
    felt = False

    do: Literal["spoil-backup"]
