"""How the lender and its database are laid out over processes and sites, and what protects them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from scenarios.section import Section
from scenarios.units import Count, Seconds

CommitLevel = Literal["off", "local", "remote_write", "on", "remote_apply"]
"""PostgreSQL's `synchronous_commit`: what a commit waits for."""


class Single(Section):
    """One lender on one database, and nothing beside it."""

    kind: Literal["single"] = "single"


class SqliteBackup(Section):
    """The embedded default: online backups to another folder, and the write-ahead log shipped in
    between where wanted."""

    kind: Literal["sqlite-backup"]
    backup_every: Seconds = Field(default=10.0, gt=0, description="from one backup to the next")
    ship_every: Seconds | None = Field(
        default=None, gt=0, description="new log frames, by Litestream; none: backups alone"
    )
    keep: Count = Field(default=3, ge=1, le=1000, description="backups that are kept")


class _Postgres(Section):
    """A primary and a streaming standby."""

    synchronous: bool = Field(default=False, description="whether commits wait for the standby")
    commit: CommitLevel = Field(default="on", description="synchronous_commit")
    slot: bool = Field(default=True, description="a replication slot keeps the standby's log")
    archive_every: Seconds | None = Field(
        default=None, gt=0, description="archive_timeout of the log archive; none: no archive"
    )


class PostgresStandby(_Postgres):
    """PostgreSQL with a streaming standby beside it; one lender that follows the primary."""

    kind: Literal["postgres-standby"]


class TwoSites(_Postgres):
    """A lender and a PostgreSQL server at each of two sites; traffic goes to one of them."""

    kind: Literal["two-sites"]
    ttl: Seconds = Field(default=5.0, ge=0, description="for how long clients keep the old address")


Topology = Annotated[
    Single | SqliteBackup | PostgresStandby | TwoSites, Field(discriminator="kind")
]
