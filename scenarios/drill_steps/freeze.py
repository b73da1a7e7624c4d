"""A server that neither answers nor dies."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class Freeze(DrillStep):
    """SIGSTOP of a party."""

    role = "destroys"

    do: Literal["freeze"]
    target: Literal["lender", "primary", "standby"]
