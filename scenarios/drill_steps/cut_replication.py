"""The link from primary to standby breaks."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class CutReplication(DrillStep):
    """The standby gets nothing more until the link is mended; what was under way is lost."""

    role = "destroys"
    topologies = ("postgres-standby", "two-sites")

    do: Literal["cut-replication"]
