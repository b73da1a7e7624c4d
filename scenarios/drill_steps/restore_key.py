"""The encryption key comes back from where it is kept in escrow."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class RestoreKey(DrillStep):
    """The key file is put back from its copy."""

    role = "heals"

    do: Literal["restore-key"]
