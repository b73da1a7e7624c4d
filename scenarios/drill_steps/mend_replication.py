"""The link from primary to standby is well again."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class MendReplication(DrillStep):
    """Neither lag nor cut any more."""

    role = "heals"
    topologies = ("postgres-standby", "two-sites")

    do: Literal["mend-replication"]
