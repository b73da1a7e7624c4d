"""Customers are sent to the other site."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class SwitchTraffic(DrillStep):
    """Clients reach the second site once their old address has expired."""

    role = "heals"
    topologies = ("two-sites",)

    do: Literal["switch-traffic"]
