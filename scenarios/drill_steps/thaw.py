"""A frozen server goes on."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class Thaw(DrillStep):
    """SIGCONT of a party."""

    role = "heals"

    do: Literal["thaw"]
    target: Literal["lender", "primary", "standby"]
