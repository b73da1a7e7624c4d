"""Operator error: a table is emptied or dropped."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class DeleteTable(DrillStep):
    """Somebody who may do so deletes `table` in the live database."""

    role = "destroys"

    do: Literal["delete-table"]
    table: str = "bindings"
