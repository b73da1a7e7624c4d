"""Operator error: a table is dropped."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep, Table


class DeleteTable(DrillStep):
    """Somebody who may do so drops `table` in the live database."""

    role = "destroys"

    do: Literal["delete-table"]
    table: Table = "bindings"
