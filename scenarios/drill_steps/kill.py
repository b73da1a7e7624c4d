"""Sudden death of a process."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class Kill(DrillStep):
    """SIGKILL of a party; it gets no chance to tidy."""

    role = "destroys"

    do: Literal["kill"]
    target: Literal["lender", "primary", "standby", "site"]
