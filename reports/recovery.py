"""Time to recover from a fault, and what the fault did to the steps that lean on its target.

A request succeeds when it is answered below HTTP 500: a declined card is an answer, a 503 is not.
The level before is the success share of requests intended in [0, start), outside other faults; 1
without such requests. After the fault's end, time is cut into windows of the resolution (at least
1 s, and long enough for some 20 requests at the rate before the fault). The service has recovered
at the start of the first window from which on HOLD windows with requests in a row have a success
share of at least (1 - TOLERANCE) times the level before. Time to recover is that moment minus the
fault's end: 0 when the first windows after the fault are good already.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import reduce
from operator import or_

import msgspec
import polars as pl

from reports.numbers import significant
from reports.summary_schema import FaultWindow
from scenarios.faults import Fault

LEANS: dict[str, tuple[str, ...]] = {
    "sms": ("submit", "resend"),
    "bank": ("confirm",),
    "payment": ("test_payment",),
    "lender": (
        *("register", "documents", "submit", "resend"),
        *("confirm", "authorise", "test_payment", "status"),
    ),
}
"""The steps that need a target to be up."""

TOLERANCE = 0.05
HOLD = 3
_REQUESTS_A_WINDOW = 20
_RESOLUTIONS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)

_GOOD = pl.col("status").is_between(1, 499)


def fault_windows(
    events: pl.LazyFrame, faults: tuple[Fault, ...], struck: Mapping[str, int]
) -> tuple[FaultWindow, ...]:
    """Every fault of the timeline in its order, measured on the run's events. `struck`: how often
    each did, by label, where it was counted."""
    requests = events.filter(pl.col("kind") == "request")
    return tuple(
        msgspec.structs.replace(
            _measure(requests, fault, [other for other in faults if other is not fault]),
            struck=struck.get(fault.label),
        )
        for fault in faults
    )


def _measure(requests: pl.LazyFrame, fault: Fault, others: list[Fault]) -> FaultWindow:
    steps = LEANS.get(fault.target, LEANS["lender"])
    leaning = requests.filter(pl.col("step").is_in(steps))
    at = pl.col("intended")
    disturbed = reduce(or_, (_inside(other) for other in others), pl.lit(False))
    calm = (at < fault.start) & ~disturbed
    before, good_before, during, good_during, first = (
        leaning.select(
            calm.sum(),
            (calm & _GOOD).sum().alias("good_before"),
            _inside(fault).sum().alias("during"),
            (_inside(fault) & _GOOD).sum().alias("good_during"),
            at.min().alias("first"),
        )
        .collect(engine="streaming")
        .row(0)
    )
    level = good_before / before if before else 1.0
    rate = before / (fault.start - first) if before else 0.0
    width = resolution(rate)
    recovered = None
    if math.isfinite(fault.end):
        after = (
            leaning.filter(at >= fault.end)
            .group_by(((at - fault.end) / width).floor().cast(pl.Int64).alias("window"))
            .agg(pl.len().alias("requests"), _GOOD.sum().alias("good"))
            .sort("window")
            .collect(engine="streaming")
        )
        window = first_good_window(after.rows(), level)
        recovered = None if window is None else window * width
    return FaultWindow(
        label=fault.label,
        kind=fault.kind,
        target=fault.target,
        start=fault.start,
        end=fault.end if math.isfinite(fault.end) else None,
        steps=steps,
        before=significant(level) if before else None,
        during=significant(good_during / during) if during else None,
        resolution=width,
        time_to_recover=recovered,
    )


def first_good_window(windows: list[tuple[int, int, int]], level: float) -> int | None:
    """The window in which service at `level` began again for good; None when it did not.

    `windows` are (number, requests, successes) in order, those without requests left out.
    """
    run = 0
    for index, (_, requests, good) in enumerate(windows):
        run = run + 1 if good >= (1 - TOLERANCE) * level * requests else 0
        if run == HOLD:
            return windows[index - HOLD + 1][0]
    return None


def _inside(fault: Fault) -> pl.Expr:
    return (pl.col("intended") >= fault.start) & (pl.col("intended") < fault.end)


def resolution(rate: float, wanted: int = _REQUESTS_A_WINDOW) -> float:
    """The shortest of the usual windows (seconds) that holds some `wanted` events at `rate` (per
    second); the longest when none does, 1 s when the rate is not known."""
    seconds = wanted / rate if rate > 0 else 1.0
    return next((width for width in _RESOLUTIONS if width >= seconds), _RESOLUTIONS[-1])
