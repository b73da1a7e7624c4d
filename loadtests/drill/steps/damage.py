"""Steps that damage data, disk or keys, and those that undo it where it can be undone."""

from __future__ import annotations

from typing import Any

from loadtests.drill.done import Done
from loadtests.drill.ground import Ground
from scenarios.drill_steps.corrupt_page import CorruptPage
from scenarios.drill_steps.delete_table import DeleteTable
from scenarios.drill_steps.lose_key import LoseKey
from scenarios.drill_steps.truncate_file import TruncateFile


def corrupt_page(step: CorruptPage, ground: Ground) -> Done:
    """Garbage in a page."""
    return ground.topology.corrupt_page(step.table)


def truncate_file(step: TruncateFile, ground: Ground) -> Done:
    """Half a file."""
    return ground.topology.truncate_file(step.table)


def delete_table(step: DeleteTable, ground: Ground) -> Done:
    """A table less."""
    return ground.topology.delete_table(step.table)


def fill_disk(step: Any, ground: Ground) -> Done:
    """No room."""
    return ground.topology.fill_disk()


def free_disk(step: Any, ground: Ground) -> Done:
    """Room again."""
    return ground.topology.free_disk()


def lose_key(step: LoseKey, ground: Ground) -> Done:
    """The key file is missing or another one."""
    return ground.keys.lose(step.how)


def restore_key(step: Any, ground: Ground) -> Done:
    """The key file from escrow."""
    return ground.keys.bring_back()


EXECUTORS: dict[str, Any] = {
    "corrupt-page": corrupt_page,
    "truncate-file": truncate_file,
    "delete-table": delete_table,
    "fill-disk": fill_disk,
    "free-disk": free_disk,
    "lose-key": lose_key,
    "restore-key": restore_key,
}
