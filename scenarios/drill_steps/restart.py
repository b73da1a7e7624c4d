"""A dead process is started again where it was."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class Restart(DrillStep):
    """A party is started again on its own data."""

    role = "heals"

    do: Literal["restart"]
    target: Literal["lender", "primary", "standby"]
