"""The old primary takes its role again."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class SwitchBack(DrillStep):
    """The old primary is rewound (pg_rewind), catches up and is promoted; traffic returns."""

    role = "heals"
    topologies = ("postgres-standby", "two-sites")

    do: Literal["switch-back"]
