"""The no-fault twin as part of `bindrill run`."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from bindrill.display import Display
from scenarios.schema import Scenario
from sim.twin import run_twin


def play_twin(
    scenario: Scenario, clock_folder: Path, console: Console, *, quiet: bool = False
) -> None:
    """Simulate the scenario without its faults beside `clock_folder`; nothing without faults.

    Progress is shown on a terminal alone: elsewhere its lines would be taken for the run's.
    """
    with Display(console, quiet=quiet or not console.is_terminal) as display:
        run_twin(scenario, clock_folder, display.show)
