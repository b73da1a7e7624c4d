"""All ceilings, held against what the processes of a run saw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from scenarios.ceilings.arrivals import late_arrivals
from scenarios.ceilings.cores import cores
from scenarios.ceilings.loop_lag import loop_lag
from scenarios.ceilings.memory import memory
from scenarios.ceilings.met import Met
from scenarios.ceilings.open_files import open_files
from scenarios.ceilings.ports import ports
from scenarios.ceilings.processor import processor
from scenarios.ceilings.readings import Reading, read_readings

CEILINGS: tuple[Callable[[Sequence[Reading]], Iterable[Met]], ...] = (
    open_files,
    ports,
    memory,
    late_arrivals,
    processor,
    cores,
    loop_lag,
)
"""The clearest evidence first."""


def met_in(readings: Sequence[Reading]) -> tuple[Met, ...]:
    """What `readings`, in order of time, show to have been met. Times count from the schedule's
    origin, or from the first reading where no process knew it."""
    if not readings:
        return ()
    origin = next((r.origin for r in readings if r.origin is not None), readings[0].at)
    found = [met for ceiling in CEILINGS for met in ceiling(readings)]
    return tuple(
        msgspec.structs.replace(
            met, at=round(met.at - origin, 3), until=round(met.until - origin, 3)
        )
        for met in found
    )


def ceilings_met(clock_folder: Path) -> tuple[Met, ...]:
    """The ceilings that the live run in `clock_folder` met; none of a simulation."""
    return met_in(read_readings(clock_folder))


def in_words(limits: Iterable[Met]) -> str:
    """All of them in one line."""
    return "; ".join(met.text for met in limits)
