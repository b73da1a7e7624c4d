"""One measure of a capacity search in wall time, and the search itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from loadtests.watched_run import Watched, watched_run
from reports.capacity.limit import limit_of
from reports.capacity.measured import measured
from reports.capacity.result import Limit, LimitState, Measured
from reports.capacity.scaling import at_rate
from reports.capacity.search import Bounds, Search
from reports.capacity.usage import (
    GATEWAYS,
    LOAD_GENERATOR,
    MACHINE,
    Counters,
    Processor,
    Spans,
    window_of,
)
from reports.progress import Progress
from reports.summary import summarise
from scenarios.arrivals import arrival_count
from scenarios.interruption import undisturbed
from scenarios.schema import Scenario

LEAD = 2
"""How many measures of a rate hold or fail, if all agree."""
MOST = 5
MEASURES = 40


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """How live measures are made: load-generator processes, the lender's database (SQLite if
    None), the team's own binding service to load instead of ours, if any, and whether measures
    count in which the testbed was the limit."""

    processes: int = 1
    database: str | None = None
    target: str | None = None
    allow_remote: bool = False
    judge_at_limit: bool = False


def live_limit(
    scenario: Scenario,
    folder: Path,
    *,
    bounds: Bounds,
    seed_of: Callable[[int], int],
    load: Load,
    precision: float,
    step: float = 2.0,
    lead: int = LEAD,
    most: int = MOST,
    measures: int = MEASURES,
    prepare: Callable[[Scenario, Path], object] = lambda scenario, folder: None,
    out_of_time: Callable[[], bool] = lambda: False,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_measured: Callable[[Measured, Search], None] = lambda measure, search: None,
) -> Limit:
    """As `sim.capacity.simulated_limit`, with a live run for each measure, one after another, on
    fresh servers and an empty database below `folder`.

    `seed_of` gives the seed of a measure's number; `step` is that of the search; `prepare` gets
    each measure's scenario and folder first (such as to play its no-fault twin beside it). Once
    `out_of_time`, no measure begins. Ctrl-C ends the search with what is measured. Raises
    StackProblem.
    """
    search = Search(bounds, precision=precision, lead=lead, most=most, measures=measures, step=step)
    found: list[Measured] = []
    beyond: list[Measured] = []
    state: LimitState | None = None
    while (ask := search.ask()) is not None and not out_of_time():
        place = folder / f"{ask.rate:g}-{ask.first}"
        # Bindings of an earlier measure are still there: new customers come to the same store.
        stays = load.database is not None or load.target is not None
        seed = seed_of(measures + len(found) + len(beyond) if stays else ask.first)
        played = at_rate(scenario, ask.rate, seed)
        try:
            place.mkdir(parents=True)
            prepare(played, place / "live")
            measure = measure_live(
                played,
                place / "live",
                rate=ask.rate,
                number=ask.first,
                load=load,
                on_progress=on_progress,
            )
        except KeyboardInterrupt:
            measure = None
        with undisturbed():
            shutil.rmtree(place, ignore_errors=True)  # a problem leaves it there, for its logs
        if measure is None:
            state = "interrupted"
            break
        if measure.limits and not load.judge_at_limit:
            beyond.append(measure)
            search.tell_limited(measure.rate)
        else:
            found.append(measure)
            search.tell(measure.rate, measure.held)
        on_measured(measure, search)
    return limit_of("live", search, bounds, state or _ended(search), found, lead, beyond)


def _ended(search: Search) -> LimitState:
    if search.state == "searching" or search.state == "unsettled":
        # Out of time or measures, below a rate that could not be measured.
        return "limited" if search.beyond is not None and search.high is None else "unsettled"
    return search.state


def measure_live(
    scenario: Scenario,
    folder: Path,
    *,
    rate: float,
    number: int,
    load: Load,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Measured | None:
    """Play `scenario` live below `folder` and measure it; None when interrupted. Raises
    StackProblem."""
    folder.mkdir(parents=True)
    watched = watched_run(
        scenario,
        folder,
        target=load.target,
        allow_remote=load.allow_remote,
        database=load.database,
        processes=load.processes,
        on_progress=on_progress,
    )
    if watched is None:
        return None
    planned = arrival_count(scenario.arrivals, scenario.seed, scenario.duration)
    summary = summarise(folder, scenario, planned=planned)
    counters = _counters(watched, scenario, load)
    return measured("live", scenario, folder, summary, counters, rate=rate, number=number)


def _counters(watched: Watched, scenario: Scenario, load: Load) -> Counters:
    """What was done in the window, and when the lender worked on requests."""
    if (done := watched.done) is None:
        return Counters(known=False)  # everybody had ended before the window did
    used, seconds = done.cpu, done.seconds
    processes = {
        GATEWAYS: Processor(used=used.gateways / seconds, most=1),
        LOAD_GENERATOR: Processor(used=used.load_generator / seconds, most=load.processes),
        MACHINE: Processor(used=used.together / seconds, most=used.cores),
    }
    if load.target is not None:
        return Counters(known=False, processes=processes)
    window = window_of(scenario.duration)
    requests, calls, waited = _in_lender(watched.timings, watched.origin, window)
    store = done.store
    return Counters(
        commit_busy=store["busy_seconds"] / seconds if store else None,
        commits=int(store.get("commits", 0)),
        transactions=int(store.get("transactions", 0)),
        commit_wait=waited,
        requests=requests,
        calls=calls,
        lender=Processor(used=used.lender / seconds, most=1),
        processes=processes,
    )


def _in_lender(
    timings: list[list[Any]], origin: float, window: tuple[float, float]
) -> tuple[Spans, dict[str, Spans], float]:
    """When requests and calls were under way, from the lender's own rows, and the seconds that
    requests of the window waited for commits."""
    requests: list[tuple[float, float]] = []
    calls: dict[str, list[tuple[float, float]]] = {"bank": [], "sms": [], "payment": []}
    waited = 0.0
    for row in timings:
        if row[0] == "request":
            _, _, at, total, _, in_commits, _, _ = row
            requests.append((at - origin, at - origin + total))
            waited += in_commits if window[0] <= at - origin < window[1] else 0.0
        else:
            _, gateway, _, at, elapsed, _ = row
            calls[gateway].append((at - origin, at - origin + elapsed))
    return _spans(requests), {name: _spans(found) for name, found in calls.items()}, waited


def _spans(rows: list[tuple[float, float]]) -> Spans:
    return np.array(rows, dtype=float).reshape(-1, 2)
