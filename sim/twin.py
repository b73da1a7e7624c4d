"""The no-fault twin: the same scenario without its faults, on the same random numbers.

Customers, typos, delays and declines are keyed by the customer, so that until the first fault the
twin is the same run, and after it the difference is what the faults did.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from reports.progress import Progress
from reports.recorder import twin_folder
from scenarios.schema import Scenario
from sim.run import SimResult, run_sim


def without_faults(scenario: Scenario) -> Scenario:
    """The scenario as it would be if nothing broke; objectives about faults go too."""
    return scenario.model_copy(update={"faults": (), "objectives": ()})


def run_twin(
    scenario: Scenario, clock_folder: Path, on_progress: Callable[[Progress], None] | None = None
) -> SimResult | None:
    """Play the twin of `scenario` into the folder `twin` beside `clock_folder`, in virtual time.

    `reports.summary.summarise` finds it there, for either clock. None for a scenario without
    faults, which is its own twin. Raises KeyboardInterrupt, leaving no twin, on Ctrl-C.
    """
    if not scenario.fault_timeline:
        return None
    folder = twin_folder(clock_folder)
    folder.mkdir(parents=True, exist_ok=True)
    result = run_sim(without_faults(scenario), folder, on_progress)
    if result.state == "interrupted":
        # A twin of half the run would make the other half look like a gain.
        shutil.rmtree(folder)
        raise KeyboardInterrupt
    return result
