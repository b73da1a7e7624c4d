"""The topology that a scenario asks for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loadtests.process import StackProblem
from loadtests.stack import Stack
from loadtests.topologies.base import Topology
from loadtests.topologies.keys import Keys
from loadtests.topologies.sqlite_backup import SqliteBackup
from scenarios import topology as layout


@dataclass(frozen=True)
class Laid:
    """A topology, not started yet, and the key file of its lenders."""

    topology: Topology
    keys: Keys


def lay_out(settings: layout.Topology, stack: Stack, data: Path) -> Laid:
    """What `settings` describe, with its data below `data`. Raises StackProblem."""
    if isinstance(settings, layout.SqliteBackup):
        sqlite = SqliteBackup(settings, stack, data)
        return Laid(sqlite, sqlite.keys)
    raise StackProblem(f"topology {settings.kind} has nothing to destroy")
