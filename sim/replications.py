"""Many replications of a scenario, or of its variants, on all cores.

Replication 0 is the scenario's own seed, and its events are kept; of the others the summary is.
Replication n of every variant has the same seed, so that variants compare pair by pair.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from pathlib import Path

import msgspec

from reports.claims import scratch
from reports.intervals import interval
from reports.recorder import twin_folder
from reports.replications import Replications, Stopped, merge
from reports.summary import summarise
from reports.summary_schema import Summary
from scenarios.arrivals import arrival_count, first_arrival
from scenarios.keyed import Keyed
from scenarios.schema import Scenario
from sim.executor import in_order
from sim.run import run_sim
from sim.twin import run_twin

FEWEST = 5
"""Replications before precision may stop: fewer say too little of their own spread."""


class Part(msgspec.Struct, frozen=True):
    """A scenario to replicate and the folder (a run's `sim/`) for the events of replication 0."""

    scenario: Scenario
    folder: Path


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One replication of one part; `folder` is for its events, kept after it if `keep`; without
    one they go to a temporary folder of whichever machine simulates it. `twin`: its no-fault twin
    is played too, beside its events."""

    part: int
    number: int
    scenario: Scenario
    folder: Path | None
    keep: bool
    twin: bool


class Replicated(msgspec.Struct, frozen=True):
    """One part's replications: merged, and each summary by number."""

    result: Replications
    summaries: dict[int, Summary]


def replication_seed(seed: int, number: int) -> int:
    """The seed of a replication: `seed` itself for number 0, then drawn from both (48 bits)."""
    return seed if number == 0 else Keyed(seed).integer("replication", number) >> 16


def empty_replication(scenario: Scenario, count: int) -> int | None:
    """The first of `count` replications to which nobody would come; None when all have customers.
    Raises ValueError on a bad recording."""
    for number in range(count):
        seed = replication_seed(scenario.seed, number)
        if first_arrival(scenario.arrivals, seed, scenario.duration) is None:
            return number
    return None


def simulate(task: Task) -> Summary:
    """Play one task and summarise it. Raises KeyboardInterrupt when it was interrupted."""
    if task.folder is None:
        with scratch() as base:
            return _simulated(task, base / "sim")
    try:
        return _simulated(task, task.folder)
    finally:
        if not task.keep:
            for folder in (task.folder, twin_folder(task.folder)):
                shutil.rmtree(folder, ignore_errors=True)


def _simulated(task: Task, folder: Path) -> Summary:
    folder.mkdir(parents=True, exist_ok=True)
    scenario = task.scenario
    if task.twin:
        run_twin(scenario, folder)
    if run_sim(scenario, folder).state == "interrupted":
        raise KeyboardInterrupt
    planned = arrival_count(scenario.arrivals, scenario.seed, scenario.duration)
    return summarise(folder, scenario, planned=planned)


def replicate(
    parts: Sequence[Part],
    wanted: int,
    executor: Executor,
    *,
    scratch: Path | None,
    ahead: int,
    twin: bool = False,
    precision: float | None = None,
    on_done: Callable[[int], None] | None = None,
) -> tuple[Replicated, ...]:
    """Play every part `wanted` times, or until precise, and merge each part's figures.

    `precision`: stop once half the width of the intervals of throughput and success rate is at most
    this share of their means, in every part (after FEWEST replications). `scratch`: a folder for
    events that are not kept; it outlives the executor; None where other machines simulate, which
    have no such folder. `ahead`: how many simulations are given out
    at a time. `twin`: measure what faults cost against a twin without them, which takes as long
    again. `on_done` gets the number of finished simulations. Ctrl-C stops early: what is
    finished is kept, and `stopped` says so. The results do not depend on `ahead` or on the
    executor.
    """
    summaries: list[dict[int, Summary]] = [{} for _ in parts]
    stopped: Stopped = "all"
    done = 0
    try:
        for task, summary in in_order(
            executor, simulate, _tasks(parts, wanted, scratch, twin), ahead
        ):
            summaries[task.part][task.number] = summary
            done += 1
            if on_done is not None:
                on_done(done)
            whole = task.part == len(parts) - 1 and task.number + 1 < wanted
            if precision is not None and whole and precise(summaries, precision):
                stopped = "precise"
                break
    except KeyboardInterrupt:
        stopped = "interrupted"
    return tuple(
        Replicated(
            merge(
                found,
                {number: replication_seed(part.scenario.seed, number) for number in found},
                part.scenario.objectives,
                stopped,
            ),
            found,
        )
        for part, found in zip(parts, summaries, strict=True)
    )


def precise(summaries: Sequence[dict[int, Summary]], precision: float) -> bool:
    """Whether throughput and success rate of every part are known to within `precision`."""
    for found in summaries:
        if len(found) < FEWEST:
            return False
        for values in (
            [summary.throughput for summary in found.values()],
            [summary.success_rate for summary in found.values()],
        ):
            mean = interval(values)
            if mean is None or not mean.within(precision):
                return False
    return True


def _tasks(parts: Sequence[Part], wanted: int, scratch: Path | None, twin: bool) -> Iterator[Task]:
    for number in range(wanted):
        for position, part in enumerate(parts):
            seed = replication_seed(part.scenario.seed, number)
            yield Task(
                part=position,
                number=number,
                scenario=part.scenario.model_copy(update={"seed": seed}),
                folder=part.folder if number == 0 else scratch_folder(scratch, position, number),
                keep=number == 0,
                twin=twin,
            )


def scratch_folder(scratch: Path | None, position: int, number: int) -> Path | None:
    """Where events that are not kept go; None: wherever the simulation runs."""
    return None if scratch is None else scratch / f"{position}-{number}" / "sim"
