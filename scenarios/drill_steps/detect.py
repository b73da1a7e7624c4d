"""Somebody notices."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from scenarios.drill_steps.base import DrillStep
from scenarios.units import Seconds


class Detect(DrillStep):
    """Waits until the probe has failed as often as the drill's `probe` says."""

    role = "heals"
    phase = "detect"

    do: Literal["detect"]
    timeout: Seconds = Field(default=60.0, gt=0, description="an undetected fault ends the drill")
