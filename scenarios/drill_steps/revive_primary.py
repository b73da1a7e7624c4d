"""The old primary comes back as it was: a split brain, unless it is fenced."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class RevivePrimary(DrillStep):
    """The old primary is started on its data, and clients that know its address try to write."""

    role = "destroys"
    felt = False
    topologies = ("postgres-standby", "two-sites")

    do: Literal["revive-primary"]
