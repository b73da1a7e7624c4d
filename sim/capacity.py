"""The limit of a scenario in virtual time: searched on all cores, each rate measured repeatedly."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import NamedTuple

import msgspec
from simpy import Environment

from reports.capacity.limit import limit_of
from reports.capacity.measured import measured
from reports.capacity.result import Limit, LimitState, Measured
from reports.capacity.scaling import at_rate, own_rate
from reports.capacity.search import Bounds, Search
from reports.capacity.usage import Counters, Processor, window_of
from reports.claims import scratch
from reports.summary import summarise
from scenarios.schema import Scenario
from sim.clock import after
from sim.executor import in_order
from sim.replications import replication_seed
from sim.run import play
from sim.twin import run_twin
from sim.world import SimWorld

LEAD = 3
"""How many measures of a rate hold or fail, if all agree."""
MOST = 9
MEASURES = 120
SPAN = 8.0
REACH = 64.0
"""How far from the scenario's own rate a search goes if not told: down to 1/SPAN, up to REACH."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One measure: the scenario at `rate`, measure `number` of it, with that number's seed."""

    scenario: Scenario
    rate: float
    number: int


def default_bounds(scenario: Scenario) -> Bounds:
    """Around the scenario's own rate. Raises ValueError when that is 0."""
    own = own_rate(scenario)
    return Bounds(start=own, lowest=own / SPAN, highest=own * REACH)


def simulated_limit(
    scenario: Scenario,
    *,
    executor: Executor,
    ahead: int,
    bounds: Bounds | None = None,
    precision: float = 0.05,
    lead: int = LEAD,
    most: int = MOST,
    measures: int = MEASURES,
    on_measured: Callable[[Measured, Search], None] | None = None,
) -> Limit:
    """Search for the highest arrival rate at which the scenario's objectives hold.

    Measure n of every rate has the seed of replication n: common random numbers. `executor` and
    `ahead` as in `sim.replications.replicate`; the result does not depend on them. `on_measured`
    gets each measure as it comes, and the search as it then stands. Ctrl-C ends the search with
    what is measured. Raises ValueError when the scenario's own rate is 0 or it has no objectives.
    """
    if not scenario.objectives:
        raise ValueError(f"{scenario.name} has no objectives; nothing limits its rate")
    bounds = bounds or default_bounds(scenario)
    search = Search(bounds, precision=precision, lead=lead, most=most, measures=measures)
    found: list[Measured] = []
    interrupted = False
    try:
        while (ask := search.ask()) is not None:
            tasks = [
                Task(scenario=scenario, rate=ask.rate, number=ask.first + nth)
                for nth in range(ask.times)
            ]
            for _, measure in in_order(executor, simulate, tasks, ahead):
                found.append(measure)
                search.tell(measure.rate, measure.held)
                if on_measured is not None:
                    on_measured(measure, search)
    except KeyboardInterrupt:
        interrupted = True
    state: LimitState = "interrupted" if interrupted else _ended(search)
    return limit_of("sim", search, bounds, state, found, lead)


def simulate(task: Task) -> Measured:
    """Play one measure, and its twin where there are faults. Raises KeyboardInterrupt."""
    seed = replication_seed(task.scenario.seed, task.number)
    scenario = at_rate(task.scenario, task.rate, seed)
    with scratch() as base:
        folder = base / "sim"
        folder.mkdir()
        run_twin(scenario, folder)
        env = Environment()
        watch = _Watch(scenario)
        if play(env, scenario, folder, on_world=watch.begin).state == "interrupted":
            raise KeyboardInterrupt
        return measured(
            "sim",
            scenario,
            folder,
            summarise(folder, scenario),
            watch.counters(),
            rate=task.rate,
            number=task.number,
        )


def _ended(search: Search) -> LimitState:
    return "unsettled" if search.state == "searching" else search.state


class _Watch:
    """Reads the counters of the lender's processor and writer at both ends of the window."""

    def __init__(self, scenario: Scenario) -> None:
        self._window = window_of(scenario.duration)
        self._cores = scenario.world.lender.cores
        self._looks: list[_Look] = []

    def begin(self, world: SimWorld) -> None:
        """Look at both moments, during the run."""
        for moment in self._window:
            after(world.env, moment, lambda: self._looks.append(_look(world)))

    def counters(self) -> Counters:
        """What was done between both."""
        begin, end = self._window
        # A lender that was killed between them counts from its new beginning.
        done = _Look(
            *(max(0.0, after - before) for before, after in zip(*self._looks, strict=True))
        )
        return Counters(
            lender=Processor(used=done.worked / (end - begin), most=self._cores),
            commit_busy=done.committing / (end - begin),
            commits=int(done.commits),
            transactions=int(done.transactions),
            commit_wait=done.waited,
        )


class _Look(NamedTuple):
    """Counters so far; times in seconds."""

    worked: float
    committing: float
    commits: float
    transactions: float
    waited: float


def _look(world: SimWorld) -> _Look:
    writer = world.commits
    return _Look(world.cores.busy, writer.busy, writer.commits, writer.transactions, writer.waited)
