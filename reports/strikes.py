"""How often each fault struck, as those who apply it counted."""

from __future__ import annotations

from pathlib import Path

import msgspec

from reports.run_folder import RunProblem
from scenarios.whole_file import write_whole

_FILE = "strikes.json"

Strikes = dict[str, int]
"""Requests, callbacks, closings of a port or ends of a process, by the fault's label."""


def write_strikes(struck: Strikes, clock_folder: Path) -> None:
    """Write `strikes.json`, whole or not at all; a fault that nobody could count is left out."""
    write_whole(clock_folder / _FILE, msgspec.json.encode(struck) + b"\n")


def read_strikes(clock_folder: Path) -> Strikes:
    """What `write_strikes` wrote; nothing of a run that did not come to its end. Raises RunProblem
    when it cannot be read."""
    try:
        return msgspec.json.decode((clock_folder / _FILE).read_bytes(), type=Strikes)
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError) as error:
        raise RunProblem(f"{clock_folder / _FILE} cannot be read: {error}") from None
