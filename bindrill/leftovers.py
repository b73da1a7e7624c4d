"""What earlier commands left that were killed: found and put right before the next one works."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bindrill.console import complain
from bindrill.errors import InputProblem
from loadtests.postgres.keeper import remove
from loadtests.postgres.workspace import reachable
from reports.claims import FILE, PREFIX, abandoned, claim_of
from reports.leftovers import put_right
from reports.run_folder import RunFolder, RunProblem


def tidy(*bases: Path) -> None:
    """Put right the folders in `bases`, and remove temporary ones, whose processes are gone; a line
    on standard error for each of the former. A folder that resists stays for the next command."""
    for place in {Path(tempfile.gettempdir()), reachable()}:
        for folder in abandoned(place, PREFIX):
            remove(folder)
    for base in bases:
        for folder in abandoned(base):
            try:
                put_right(folder)
            except (RunProblem, OSError) as problem:
                said = f"{folder}: what a killed command left could not be put right: {problem}"
            else:
                said = f"{folder}: put right what a killed command left"
            complain(said)


def open_run(path: Path) -> RunFolder:
    """Read a run, after it was put right if need be. Raises RunProblem, InputProblem while another
    command is at work on it."""
    place = path.resolve()
    tidy(place.parent)
    for folder in (place, *place.parents[:2]):  # a variant's run, a row of a table's
        claim, owner = claim_of(folder)
        if claim == "alive":
            who = f"process {owner.pid} on {owner.host}" if owner else "another process"
            raise InputProblem(
                f"{path} is being written by {who}; wait until it has ended (if it has,"
                f" delete {folder / FILE})"
            )
    return RunFolder.open(path)
