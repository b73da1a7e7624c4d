"""Lender, bank and payment gateway are made to agree."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class Reconcile(DrillStep):
    """Compares the three and carries out the repairs that need no person."""

    role = "heals"

    do: Literal["reconcile"]
