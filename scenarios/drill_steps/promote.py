"""The standby becomes the primary."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class Promote(DrillStep):
    """The standby is promoted, the old primary fenced, and the lender sent to the new one."""

    role = "heals"
    topologies = ("postgres-standby", "two-sites")

    do: Literal["promote"]
