"""How busy each resource was in one measure, from its events and a few counters.

A limited number of places is in use as far as calls or requests are in progress: with N(t) of them
at time t, min(N(t), places) on average over the window. The window is the second half of the
arrivals' time, when the first journeys have filled every step.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from reports.capacity.result import Times, Usage
from reports.numbers import significant
from reports.recorder import scan_events
from scenarios.schema import Scenario

LENDER_CPU = "lender CPU"
WORKERS = "lender workers"
COMMITS = "database commits"
GATEWAYS = "gateways"
LOAD_GENERATOR = "load generator"
MACHINE = "machine CPU"

TESTBED = (GATEWAYS, LOAD_GENERATOR, MACHINE)
"""Resources of the test itself, which a limit must not be blamed on the lender for."""

NAMES = {"bank": "bank", "sms": "SMS", "payment": "payment"}
_LIMIT_CODES = {"bank": "37", "sms": "Throttling.User", "payment": "RATE_LIMITED"}
"""What each gateway's `limit_code` answers beyond its rate limit."""

Spans = NDArray[np.float64]
"""Rows of begin and end in seconds since the run began."""


class Processor(msgspec.Struct, frozen=True, kw_only=True):
    """Cores that a process used on average over the window, of how many it could use at most."""

    used: float
    most: float


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    """What the events of a measure do not tell, over the window.

    `commit_busy`: share of the time in which the store's writer was committing; `transactions` and
    `commits`: how many, a commit holding a group of transactions; `commit_wait`: seconds waited
    for commits, all requests together. `requests`, `calls`: when the lender worked on requests,
    and called each gateway, where it was measured there. `lender`, `processes`: processors, the
    latter by resource. `known`: whether the lender's inside is known; it is not where a team brings
    its own.
    """

    known: bool = True

    commit_busy: float | None = None
    commits: int = 0
    transactions: int = 0
    commit_wait: float | None = None
    requests: Spans | None = None
    calls: dict[str, Spans] | None = None
    lender: Processor | None = None
    processes: dict[str, Processor] = {}


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """Usage of every resource; `concurrency`: requests in progress at the lender on average;
    `times`: where a request's time went, None without requests or without knowing the commits."""

    usage: tuple[Usage, ...]
    concurrency: float
    times: Times | None


def window_of(duration: float) -> tuple[float, float]:
    """From when to when utilisation is measured in arrivals of `duration` seconds."""
    return duration / 2, duration


def used(clock_folder: Path, scenario: Scenario, counters: Counters) -> Used:
    """The usage in the events of `clock_folder`."""
    window = window_of(scenario.duration)
    events = scan_events(clock_folder)
    calls = events.filter(pl.col("kind") == "call").select("gateway", "code", "started", "ended")
    called = calls.collect()
    in_lender = counters.requests
    if in_lender is None:
        requests = events.filter(pl.col("kind") == "request").select("started", "ended")
        in_lender = _spans(requests.collect(), scenario.world.network.mean / 2)
    at_gateways = {
        name: (counters.calls or {}).get(
            name, _spans(called.filter(pl.col("gateway") == name), -_overhead(scenario) / 2)
        )
        for name in NAMES
    }
    inside = [
        *([_process(LENDER_CPU, counters.lender)] if counters.lender else ()),
        _workers(in_lender, scenario, window),
        *_commits(counters),
    ]
    found = [
        *(inside if counters.known else ()),
        *_gateways(called, at_gateways, scenario, window),
        *(_process(name, each) for name, each in counters.processes.items()),
    ]
    return Used(
        usage=tuple(found),
        concurrency=significant(mean_in_progress(in_lender, window)),
        times=_times(in_lender, at_gateways, counters, window),
    )


def mean_in_progress(spans: Spans, window: tuple[float, float], places: float = np.inf) -> float:
    """The average over the window of min(spans that cover an instant, `places`)."""
    begin, end = window
    starts = np.clip(spans[:, 0], begin, end) if len(spans) else np.zeros(0)
    ends = np.clip(spans[:, 1], begin, end) if len(spans) else np.zeros(0)
    if end <= begin or not len(starts):
        return 0.0
    instants = np.concatenate((starts, ends))
    order = np.argsort(instants, kind="stable")
    steps = np.concatenate((np.ones(len(starts)), -np.ones(len(ends))))[order]
    number = np.minimum(np.cumsum(steps)[:-1], places)
    return float((number * np.diff(instants[order])).sum() / (end - begin))


def _spans(rows: pl.DataFrame, shorter: float) -> Spans:
    # `shorter` at both ends: the way between the customer and the lender is not the lender's time.
    both = rows.select("started", "ended").to_numpy().astype(float)
    both[:, 0] += shorter
    both[:, 1] -= shorter
    return both[both[:, 1] > both[:, 0]]


def _overhead(scenario: Scenario) -> float:
    return scenario.world.lender.call_overhead.mean


def _process(name: str, processor: Processor) -> Usage:
    return _usage(
        name,
        processor.used / processor.most,
        f"{processor.used:.2f} of {processor.most:g} {'core' if processor.most == 1 else 'cores'}",
    )


def _workers(in_lender: Spans, scenario: Scenario, window: tuple[float, float]) -> Usage:
    places = scenario.world.lender.workers
    number = mean_in_progress(in_lender, window, places)
    return _usage(WORKERS, number / places, f"{number:.1f} of {places} places")


def _commits(counters: Counters) -> list[Usage]:
    if counters.commit_busy is None:
        return []
    group = counters.transactions / counters.commits if counters.commits else 0.0
    return [_usage(COMMITS, counters.commit_busy, f"{group:.1f} transactions a commit")]


def _gateways(
    called: pl.DataFrame,
    spans: Mapping[str, Spans],
    scenario: Scenario,
    window: tuple[float, float],
) -> list[Usage]:
    found: list[Usage] = []
    length = window[1] - window[0]
    for gateway, name in NAMES.items():
        places = scenario.world.lender.connections[gateway]
        number = mean_in_progress(spans[gateway], window, places)
        found.append(_usage(f"connections to {name}", number / places, f"{number:.1f} of {places}"))
        calls = called.filter(
            (pl.col("gateway") == gateway) & pl.col("started").is_between(*window, closed="left")
        )
        refusal = pl.col("code") == _LIMIT_CODES[gateway]
        world = getattr(scenario.world, gateway)
        if world.rate_limit:
            refused = calls.filter(refusal).height
            rate = (calls.height - refused) / length
            found.append(
                _usage(
                    f"{name} rate limit",
                    rate / world.rate_limit,
                    f"{rate:.1f} of {world.rate_limit:g} calls a second",
                    refused / calls.height if calls.height else 0.0,
                )
            )
        if world.concurrency:
            served = called.filter((pl.col("gateway") == gateway) & ~refusal)
            number = mean_in_progress(_spans(served, 0.0), window, world.concurrency)
            found.append(
                _usage(
                    f"{name} concurrency",
                    number / world.concurrency,
                    f"{number:.1f} of {world.concurrency} at once",
                )
            )
    return found


def _times(
    in_lender: Spans,
    at_gateways: Mapping[str, Spans],
    counters: Counters,
    window: tuple[float, float],
) -> Times | None:
    requests = int(((in_lender[:, 0] >= window[0]) & (in_lender[:, 0] < window[1])).sum())
    if not requests or counters.commit_wait is None:
        return None
    each = (window[1] - window[0]) / requests
    # By Little's law the mean number in progress is the rate times the mean time.
    return Times(
        whole=significant(mean_in_progress(in_lender, window) * each),
        commits=significant(counters.commit_wait / requests),
        calls={
            name: significant(mean_in_progress(spans, window) * each)
            for name, spans in at_gateways.items()
        },
    )


def _usage(resource: str, share: float, detail: str, refused: float = 0.0) -> Usage:
    return Usage(
        resource=resource,
        used=significant(min(1.0, max(0.0, share))),
        detail=detail,
        refused=significant(refused),
    )
