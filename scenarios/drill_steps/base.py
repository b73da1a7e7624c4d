"""The one interface of all steps of a drill: a declarative record of what happens when."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from scenarios.section import Section
from scenarios.units import Seconds

Role = Literal["destroys", "heals"]
Phase = Literal["detect", "decide", "act"]
Party = Literal["lender", "primary", "standby", "site"]
"""`primary` and `standby` are the servers that had the role when the run began; `site` is the first
site with everything in it. On `sqlite-backup` the primary is the machine with the database file,
and the lender on it."""
Table = Literal["applicants", "bindings", "partner_calls", "idempotent_replies", "audit"]
"""The lender's tables."""


class DrillStep(Section):
    """Fields that every step has.

    Steps are carried out one after the other, in the order of the file. A step begins at `at`
    (seconds since the run began), or as soon as the one before it has ended.
    """

    role: ClassVar[Role]
    """Whether the step breaks something or is part of bringing it back."""
    phase: ClassVar[Phase] = "act"
    """The part of the time to recovery that a healing step belongs to."""
    topologies: ClassVar[tuple[str, ...]] = ("sqlite-backup", "postgres-standby", "two-sites")
    """Where the step means something."""
    felt: ClassVar[bool] = True
    """Whether customers can feel a destroying step by itself."""

    do: str
    at: Seconds | None = Field(default=None, ge=0, description="since the run began")

    @property
    def subject(self) -> str:
        """What the step is done to; empty where its name says it."""
        return str(getattr(self, "target", "") or getattr(self, "table", ""))
