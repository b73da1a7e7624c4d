"""Service times by the processor time that the lender used at several loads.

Under load a request's own time holds waits for the processor, and a wait for a commit holds the
commit before; work beside requests (callbacks, the writer's statements) costs processor time too.
The simulator makes its own lines, so it needs what was worked, not what was waited.

A request costs more when it finds the lender idle: the process must be woken, caches are cold, and
nothing shares its turn of the event loop, its commit and its system calls. With the share `idle` of
the time in which the processor is idle, which is the share of Poisson arrivals that find it so, a
request costs `work + wakeup * idle` on average: a queue with exceptional first service (Welch, "On
a generalized M/G/1 queuing process in which the first customer of each busy period receives
exceptional service", Operations Research 12, 1964). Two loads tell both, and so the cost at the
limit is known from loads below it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from loadtests.calibration import AtTestbedLimit, calibration, stretched
from loadtests.process import StackProblem
from loadtests.watched_run import watched_run
from loadtests.window_watch import Done
from reports.capacity.scaling import at_rate, own_rate
from reports.progress import Progress
from scenarios.calibration import Calibration
from scenarios.ceilings.judge import ceilings_met
from scenarios.ceilings.met import Met
from scenarios.schema import Scenario

AIMS = (0.2, 0.45, 0.7)
"""How busy the lender's processor should be in the loads: apart, and below the limit, where waits
in line would be measured."""
STRETCH = 8.0
"""How many times as high or low as the one that it is reckoned from a load may be, at most."""
ENOUGH = 0.6
"""How busy the busiest load should be at least: what a request costs at the limit is reckoned from
there, and a request under load costs less than the lighter loads foretell."""
MOST_LOADS = 5
IDLEST = 0.01
"""A processor that was less busy than this counts as this busy."""
NEAR = 0.05
"""Loads whose idle shares are no further apart say nothing of the difference between them."""


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one load showed: the share of the time in which the lender's processor was `busy`, over
    `requests` of `processor` seconds each, waits for a core included, and the `writer`'s seconds a
    commit."""

    busy: float
    requests: int
    processor: float
    writer: float


class LoadMeasured(msgspec.Struct, frozen=True, kw_only=True):
    """A load of `rate` arrivals a second, its cost, its fitted times, and how many requests of each
    operation it made. `limits`: ceilings of the testbed's own that it met."""

    rate: float
    cost: Cost
    fitted: Calibration
    operations: dict[str, int]
    limits: tuple[Met, ...] = ()


def measure_at_loads(
    scenario: Scenario,
    folder: Path,
    *,
    seed_of: Callable[[int], int],
    database: str | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_load: Callable[[LoadMeasured], None] = lambda _: None,
) -> tuple[LoadMeasured, ...] | None:
    """Play `scenario` live at its own rate, then at those that should keep the lender's processor
    as busy as the AIMS that are furthest from it, and on until it is ENOUGH; each on fresh servers
    below `folder`, with the seed that `seed_of` gives for 0, 1, ... `database` is the lender's,
    SQLite if None.

    A load in which the testbed was the limit is not used, and none follows it. None when
    interrupted. Raises StackProblem, TooFewMeasurements, and AtTestbedLimit when no load is left.
    """
    found: list[LoadMeasured] = []
    rate: float | None = own_rate(scenario)
    while rate is not None:
        number = len(found)
        place = folder / f"load-{number}"
        place.mkdir(parents=True)
        played = at_rate(scenario, rate, seed_of(number))
        load = _measured(played, place, rate, database, on_progress)
        if load is None:
            return None
        on_load(load)
        if load.limits and not found:
            raise AtTestbedLimit(load.limits)
        if load.limits:
            break
        found.append(load)
        rate = next_rate([(load.rate, load.cost.busy) for load in found])
    return tuple(found)


def next_rate(loads: Sequence[tuple[float, float]]) -> float | None:
    """The load to measure after `loads`, each a rate and how busy it made the processor; None when
    they tell enough. It is reckoned from the one that came nearest to its aim."""

    seen = [(rate, max(busy, IDLEST)) for rate, busy in loads]

    def apart(busy: float, aim: float) -> float:
        return abs(math.log(aim / busy))

    _, first = seen[0]
    further = sorted(sorted(AIMS, key=lambda aim: apart(first, aim))[1:])
    if len(seen) <= len(further):
        aim = further[len(seen) - 1]
    elif max(busy for _, busy in seen) < ENOUGH and len(seen) < MOST_LOADS:
        aim = max(AIMS)
    else:
        return None
    rate, busy = min(reversed(seen), key=lambda load: apart(load[1], aim))
    factor = min(STRETCH, max(1 / STRETCH, aim / busy))
    return float(f"{rate * factor:.3g}")


def at_loads(loads: Sequence[LoadMeasured], measured: str) -> Calibration:
    """The calibration that loads give: the lightest one's network and shapes of service times,
    scaled to the work of a request; the busiest one's commits."""
    lightest = min(loads, key=lambda load: load.cost.busy)
    busiest = max(loads, key=lambda load: load.cost.busy)
    work, wakeup = work_and_wakeup([load.cost for load in loads])
    service = lightest.fitted.service
    counts = lightest.operations
    seconds = sum(service.get(op, service["*"]).mean * count for op, count in counts.items())
    mean = seconds / sum(counts.values())
    commit = busiest.fitted.commit
    return lightest.fitted.model_copy(
        update={
            "measured": measured,
            "service": {op: stretched(delay, work / mean) for op, delay in service.items()},
            "wakeup": round(wakeup, 6),
            "commit": stretched(commit, busiest.cost.writer / commit.mean),
        }
    )


def work_and_wakeup(costs: Sequence[Cost]) -> tuple[float, float]:
    """Seconds of processor time that a request costs, and costs more at an idle core, by least
    squares weighted by the number of requests. Loads that are too much alike, or whose requests
    cost less when more idle, give the mean cost and 0."""
    idle = np.array([1 - cost.busy for cost in costs])
    processor = np.array([cost.processor for cost in costs])
    weights = np.array([cost.requests for cost in costs])
    middle, mean = (float(np.average(each, weights=weights)) for each in (idle, processor))
    if np.ptp(idle) <= NEAR:
        return mean, 0.0
    # numpy's weights are those of the residuals, not of their squares.
    slope = float(np.polyfit(idle, processor, 1, w=np.sqrt(weights))[0])
    wakeup = min(max(0.0, slope), mean / middle)
    return mean - wakeup * middle, wakeup


def _measured(
    scenario: Scenario,
    folder: Path,
    rate: float,
    database: str | None,
    on_progress: Callable[[Progress], None],
) -> LoadMeasured | None:
    watched = watched_run(scenario, folder, database=database, on_progress=on_progress)
    if watched is None:
        return None
    done = watched.done
    if done is None or not done.store:
        raise StackProblem(
            "the lender was too busy to say what its store did, or everybody had ended too early;"
            " give --duration more"
        )
    requests = [row for row in watched.timings if row[0] == "request"]
    return LoadMeasured(
        rate=rate,
        cost=_cost(requests, watched.origin, done),
        fitted=calibration(watched.timings, folder, ""),
        operations=dict(Counter(row[1] for row in requests)),
        limits=ceilings_met(folder),
    )


def _cost(requests: Sequence[Sequence[Any]], origin: float, done: Done) -> Cost:
    # A core that others take away makes the lender's own one slower.
    processor = done.cpu.lender + done.cpu.lender_waits
    begun = sum(1 for row in requests if done.begin <= row[2] - origin < done.end)
    return Cost(
        busy=min(1.0, processor / done.seconds),
        requests=begun,
        processor=processor / max(1, begun),
        writer=done.store["busy_seconds"] / max(1.0, done.store["commits"]),
    )
