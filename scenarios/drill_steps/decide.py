"""Staff agree on what to do."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class Decide(DrillStep):
    """Waits for as long as the drill's `decision` takes this time."""

    role = "heals"
    phase = "decide"

    do: Literal["decide"]
