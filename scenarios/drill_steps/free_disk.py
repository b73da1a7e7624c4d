"""There is room on the disk again."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class FreeDisk(DrillStep):
    """Writes are accepted again; a server that died of it is started."""

    role = "heals"

    do: Literal["free-disk"]
