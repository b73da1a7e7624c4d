"""A page of a table holds garbage."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep, Table


class CorruptPage(DrillStep):
    """Bytes of a page of `table` are overwritten on the disk."""

    role = "destroys"

    do: Literal["corrupt-page"]
    table: Table = "bindings"
