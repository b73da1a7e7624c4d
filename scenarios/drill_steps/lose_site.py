"""A site is gone with all that is in it."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class LoseSite(DrillStep):
    """Everything of the first site is killed, and nothing there can be reached any more."""

    role = "destroys"
    topologies = ("two-sites",)

    do: Literal["lose-site"]
