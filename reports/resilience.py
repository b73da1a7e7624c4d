"""What faults cost: a clock's events against those of its no-fault twin.

The twin met the same customers with the same draws, so that most of what chance does is the same in
both, and small windows tell the difference. `docs/recovery.md` defines each figure.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from reports.flows import Flows, Times, deepest, flows
from reports.money import read_money
from reports.numbers import significant
from reports.recorder import has_twin, scan_events, twin_folder
from reports.recovery import LEANS, resolution
from reports.resilience_schema import Curves, Fates, FaultImpact, Resilience
from scenarios.faults import Fault
from scenarios.gateways import GATEWAY_OPERATIONS
from scenarios.schema import Scenario

TOLERANCE = 0.05
"""How far below the twin counts as with it."""
HOLD = 3
"""Windows in a row for which it must stay there."""
BINDINGS_A_WINDOW = 20
"""Bindings of the twin that a window should hold: 5 % of three such windows are 3 bindings."""
FEWEST = 10
"""Windows in which the twin has fewer bindings prove nothing."""
PROMPT = 1.0
"""Seconds: the limit for a person's flow of thought (Nielsen, Usability Engineering, 1993)."""

_INSTANTS = 240
_ATTEMPTS = {"bank": "confirm", "sms": "submit", "payment": "test_payment"}
"""The step whose first press is an attempt that needs the gateway."""


def resilience(clock_folder: Path, scenario: Scenario) -> Resilience | None:
    """The clock against the twin beside it; None without faults or without a twin."""
    if not scenario.fault_timeline or not has_twin(clock_folder):
        return None
    beside = twin_folder(clock_folder)
    events, twin_events = scan_events(clock_folder), scan_events(beside)
    ours, twin = flows(events), flows(twin_events)
    until = scenario.duration + scenario.drain
    faults = tuple(
        _impact(fault, scenario, (events, twin_events), (ours, twin))
        for fault in scenario.fault_timeline
    )
    depth, depth_at = deepest(ours, twin, 0.0, math.inf)
    money, twin_money = read_money(clock_folder), read_money(beside)
    return Resilience(
        bindings=len(ours.active),
        twin_bindings=len(twin.active),
        lost_bindings=len(twin.active) - len(ours.active),
        lost_at_most=depth,
        lost_at_most_at=significant(depth_at),
        amplification={
            gateway: max(f.amplification[gateway] for f in faults if gateway in f.amplification)
            for gateway in GATEWAY_OPERATIONS
            if any(gateway in fault.amplification for fault in faults)
        },
        fates=_fates(events, twin_events),
        money_stuck_fen=None if money is None else money.stuck_fen,
        twin_money_stuck_fen=None if twin_money is None else twin_money.stuck_fen,
        faults=faults,
        curves=_curves(ours, twin, until, max(fault.window for fault in faults)),
    )


def _until(fault: Fault, scenario: Scenario) -> float:
    """Where the next fault starts that begins after this one is over; else the end of the run."""
    later = [other.start for other in scenario.fault_timeline if other.start >= fault.end]
    return min([*later, scenario.duration + scenario.drain])


def _impact(
    fault: Fault,
    scenario: Scenario,
    events: tuple[pl.LazyFrame, pl.LazyFrame],
    sides: tuple[Flows, Flows],
) -> FaultImpact:
    ours, twin = sides
    until, run_ends = _until(fault, scenario), scenario.duration + scenario.drain
    start, end = fault.start, fault.end if math.isfinite(fault.end) else None
    busy_until = min(until, float(twin.active[-1]) if len(twin.active) else until)
    width = _width(twin, start, min(until, scenario.duration))
    throughput = _first_short_window(ours, twin, start, busy_until, width)
    success = _first_bad_answers(fault, until, *events)
    moments = [(at, by) for at, by in ((success, "success"), (throughput, "throughput")) if at]
    detected, by = min(moments, default=(None, ""))
    depth, depth_at = deepest(ours, twin, start, until)
    recovered = None
    if end is not None:
        # A fault bites where customers are: bindings may fall short only after it is over.
        bitten = end if throughput is None else max(end, throughput - width)
        recovered = _recovered(ours, twin, bitten, busy_until, width)
    peak, peak_at, at_end, drained = _backlog(ours, twin, fault, until, width, run_ends)
    calm = until if recovered is None else max(recovered, fault.end)
    return FaultImpact(
        label=fault.label,
        target=fault.target,
        start=start,
        end=end,
        until=until,
        window=width,
        hold=HOLD * width,
        time_to_detect=None if detected is None else significant(detected - start),
        detected_by=by,
        lost_at_most=depth,
        lost_at_most_at=significant(depth_at),
        recovered_at=None if recovered is None else significant(recovered),
        time_from_start=None if recovered is None else significant(recovered - start),
        time_from_end=None if recovered is None else significant(recovered - fault.end),
        backlog_at_end=at_end,
        backlog_peak=peak,
        backlog_peak_at=significant(peak_at),
        time_to_drain=None if drained is None else significant(drained - fault.end),
        amplification=_amplification(start, calm, *events),
    )


# ── throughput ──────────────────────────────────────────────────────────────────────────────────


def _width(twin: Flows, start: float, until: float) -> float:
    bound = int(np.diff(twin.bound(np.array([start, max(start, until)])))[0])
    rate = bound / (until - start) if until > start else 0.0
    return resolution(rate, BINDINGS_A_WINDOW)


def _counts(
    ours: Flows, twin: Flows, start: float, until: float, width: float
) -> tuple[Times, NDArray[np.int64], NDArray[np.int64]]:
    """Beginnings of the whole windows in [start, until), and bindings of both in each."""
    edges = start + width * np.arange(max(0, math.floor((until - start) / width + 1e-9)) + 1)
    return edges[:-1], np.diff(ours.bound(edges)), np.diff(twin.bound(edges))


def _short(ours: NDArray[np.int64], twin: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Below the twin by more than the tolerance and by more than chance does to a count."""
    return ours < (1 - TOLERANCE) * twin - np.sqrt(twin)


def _first_short_window(
    ours: Flows, twin: Flows, start: float, until: float, width: float
) -> float | None:
    """When the first window ends in which bindings are short."""
    begins, mine, theirs = _counts(ours, twin, start, until, width)
    breached = np.flatnonzero(_short(mine, theirs) & (theirs >= FEWEST))
    return float(begins[breached[0]] + width) if len(breached) else None


def _recovered(ours: Flows, twin: Flows, after: float, until: float, width: float) -> float | None:
    """The beginning of the first HOLD windows which together are within the tolerance, and of which
    none is short by itself, so that a surge does not pay for a gap."""
    begins, mine, theirs = _counts(ours, twin, after, until, width)
    enough = theirs >= FEWEST
    begins, mine, theirs = begins[enough], mine[enough], theirs[enough]
    fine = ~_short(mine, theirs)
    for first in range(len(begins) - HOLD + 1):
        held = slice(first, first + HOLD)
        if fine[held].all() and mine[held].sum() >= (1 - TOLERANCE) * theirs[held].sum():
            return float(begins[first])
    return None


# ── answers ─────────────────────────────────────────────────────────────────────────────────────


def _first_bad_answers(
    fault: Fault, until: float, events: pl.LazyFrame, twin_events: pl.LazyFrame
) -> float | None:
    """When the first window ends in which too few requests of the leaning steps were answered well.

    Well: below HTTP 500, and within PROMPT or twice the time that 99 % of the twin's requests of
    the step took, whichever is longer.
    """
    steps = LEANS.get(fault.target, LEANS["lender"])
    limits = dict(
        _requests(twin_events, steps)
        .group_by("step")
        .agg((2 * pl.col("took").quantile(0.99, "linear")).clip(lower_bound=PROMPT))
        .collect(engine="streaming")
        .rows()
    )
    if not limits:
        return None
    limit = pl.col("step").replace_strict(limits, default=PROMPT, return_dtype=pl.Float64)
    good = pl.col("status").is_between(1, 499) & (pl.col("took") <= limit)
    total, well, first, last = (
        _requests(twin_events, steps)
        .select(
            pl.len(),
            good.sum().alias("well"),
            pl.col("intended").min().alias("first"),
            pl.col("intended").max().alias("last"),
        )
        .collect(engine="streaming")
        .row(0)
    )
    width = resolution(total / (last - first) if last > first else 0.0)
    share = well / total
    windows = (
        _requests(events, steps)
        .filter((pl.col("intended") >= fault.start) & (pl.col("intended") < until))
        .group_by(((pl.col("intended") - fault.start) / width).floor().cast(pl.Int64).alias("nth"))
        .agg(pl.len().alias("requests"), good.sum().alias("well"))
        .sort("nth")
        .collect(engine="streaming")
        .rows()
    )
    for nth, requests, fine in windows:
        expected = requests * share
        chance = 1 + math.sqrt(requests * share * (1 - share))
        if expected - fine > TOLERANCE * expected + chance:
            return float(fault.start + (nth + 1) * width)
    return None


def _requests(events: pl.LazyFrame, steps: tuple[str, ...]) -> pl.LazyFrame:
    took = (pl.col("ended") - pl.col("intended")).alias("took")
    rows = events.filter((pl.col("kind") == "request") & pl.col("step").is_in(steps))
    return rows.select("step", "intended", "status", took)


# ── backlog ─────────────────────────────────────────────────────────────────────────────────────


def _backlog(
    ours: Flows, twin: Flows, fault: Fault, until: float, width: float, run_ends: float
) -> tuple[int, float, int | None, float | None]:
    """The peak and its moment, the backlog at the fault's end, and when it was drained."""
    offset = 0.0
    if fault.start > 0:
        # The clocks differ a little in how long a healthy journey takes; that is no backlog.
        calm = np.linspace(max(0.0, fault.start - HOLD * width), fault.start, 40)
        offset = float((ours.present(calm) - twin.present(calm)).mean())
    at = np.linspace(fault.start, until, 2000)
    above = ours.present(at) - twin.present(at) - offset
    worst = int(np.argmax(above))
    peak, peak_at = max(0, round(float(above[worst]))), float(at[worst])
    if not math.isfinite(fault.end):
        return peak, peak_at, None, None
    end = np.array([fault.end])
    at_end = round(float((ours.present(end) - twin.present(end))[0] - offset))
    last = until if until < run_ends else until + HOLD * width  # nobody comes or goes after a run
    windows = max(0, int((last - fault.end) // width))
    grid = fault.end + width * (np.arange(10 * windows) + 0.5) / 10
    mine = ours.present(grid).reshape(windows, 10).mean(axis=1) - offset
    theirs = twin.present(grid).reshape(windows, 10).mean(axis=1)
    drained = mine - theirs <= TOLERANCE * theirs + 1
    begins = fault.end + width * np.arange(windows)
    after = fault.end if peak <= 1 else max(fault.end, peak_at - width)
    for first in range(windows - HOLD + 1):
        if begins[first] >= after and drained[first : first + HOLD].all():
            return peak, peak_at, at_end, float(begins[first])
    return peak, peak_at, at_end, None


# ── calls and customers ─────────────────────────────────────────────────────────────────────────


def _amplification(
    start: float, until: float, events: pl.LazyFrame, twin_events: pl.LazyFrame
) -> dict[str, float]:
    mine, theirs = (_calls_an_attempt(side, start, until) for side in (events, twin_events))
    return {
        gateway: significant(mine[gateway] / theirs[gateway])
        for gateway in GATEWAY_OPERATIONS
        if gateway in mine and theirs.get(gateway)
    }


def _calls_an_attempt(events: pl.LazyFrame, start: float, until: float) -> dict[str, float]:
    within = (pl.col("intended") >= start) & (pl.col("intended") < until)
    first_press = (pl.col("kind") == "request") & (pl.col("attempt") == 1)
    counted = (
        events.filter(within)
        .select(
            *((pl.col("gateway") == g).sum().alias(g) for g in _ATTEMPTS),
            *((first_press & (pl.col("step") == s)).sum().alias(s) for s in _ATTEMPTS.values()),
        )
        .collect(engine="streaming")
        .row(0, named=True)
    )
    return {g: counted[g] / counted[s] for g, s in _ATTEMPTS.items() if counted[s]}


def _fates(events: pl.LazyFrame, twin_events: pl.LazyFrame) -> Fates:
    both = _ends(twin_events).join(_ends(events), on="customer", how="full", suffix="_here")
    there = pl.col("state").eq_missing("ACTIVE")
    here = pl.col("state_here").eq_missing("ACTIVE")
    later = pl.col("ended_here") - pl.col("ended")
    slow = np.sort(both.filter(there & here & (later > PROMPT)).select(later=later)["later"])
    lost = both.filter(there & ~here)
    unfinished = int(lost["state_here"].is_null().sum())
    p50, p95 = np.quantile(slow, (0.5, 0.95)) if len(slow) else (None, None)
    return Fates(
        lost=lost.height - unfinished,
        unfinished=unfinished,
        gained=both.filter(~there & here).height,
        came_back=len(slow),
        later_p50=None if p50 is None else significant(float(p50)),
        later_p95=None if p95 is None else significant(float(p95)),
        later_max=significant(float(slow[-1])) if len(slow) else None,
    )


def _ends(events: pl.LazyFrame) -> pl.DataFrame:
    ends = events.filter(pl.col("kind") == "end").select("customer", "ended", "state")
    rows = ends.collect(engine="streaming")
    return rows.sort("customer", "ended").unique("customer", keep="last")


# ── curves ──────────────────────────────────────────────────────────────────────────────────────


def _curves(ours: Flows, twin: Flows, until: float, window: float) -> Curves:
    last = max(
        (float(side.left[-1]) for side in (ours, twin) if len(side.left)),
        default=until,
    )
    step = max(min(last, until), 1e-9) / _INSTANTS
    at = step * np.arange(_INSTANTS + 1)
    low, high = np.clip(at - window / 2, 0, None), at + window / 2

    def rate(side: Flows) -> tuple[float, ...]:
        # At the start the window is cut short, and so is what the count is divided by.
        rates = (side.bound(high) - side.bound(low)) / (high - low)
        return tuple(significant(float(value)) for value in rates)

    return Curves(
        step=significant(step),
        window=window,
        throughput=rate(ours),
        twin_throughput=rate(twin),
        in_system=tuple(ours.present(at).tolist()),
        twin_in_system=tuple(twin.present(at).tolist()),
        lost=tuple((twin.bound(at) - ours.bound(at)).tolist()),
    )
