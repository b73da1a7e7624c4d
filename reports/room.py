"""Whether there is room on the disk for what a run writes: said before it is played."""

from __future__ import annotations

import shutil
from pathlib import Path

from reports.run_folder import Clock, RunProblem
from scenarios.data_size import format_size

BYTES_A_CUSTOMER: dict[Clock, int] = {"sim": 500, "live": 5_000}
"""Half of what events, logs and database took in runs of `bank-outage` (392 customers: 252 KB and
3.8 MB), so that no run is refused that would have found room."""
REPORT = 300_000
"""Bytes of a run's report, summaries and record; the smallest so far took 350 KB."""


def check_room(base: Path, customers: int, clocks: tuple[Clock, ...]) -> None:
    """Raises RunProblem when runs of so many `customers` in all, in these clocks, do not fit below
    `base`, which need not exist yet."""
    needed = REPORT + sum(customers * BYTES_A_CUSTOMER[clock] for clock in clocks)
    place = next((path for path in (base, *base.absolute().parents) if path.exists()), base)
    free = shutil.disk_usage(place).free
    if free < needed:
        raise RunProblem(
            f"{base}: there are {format_size(free)} free, and a run of {customers:,} customers"
            f" writes {format_size(needed)} at least; make room, or give another folder with --out"
        )
