"""A file lost its end."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep, Table


class TruncateFile(DrillStep):
    """The file of `table` (on sqlite-backup: the database) is cut to half its size."""

    role = "destroys"

    do: Literal["truncate-file"]
    table: Table = "bindings"
