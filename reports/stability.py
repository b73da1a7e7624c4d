"""Whether a run is itself again after its faults.

It recovers when every fault that ends was recovered from (`reports.recovery`: the steps that lean
on its target answer as before) and bindings at the end of the run are back at the level before the
first fault: within 10 %, allowing two standard deviations of the chance in both counts (Poisson).
The second is needed because a system can answer quickly and still bind nobody.

The level before is taken in the second half of the time before the first fault, when bindings have
begun to end; the end is the last third of the time between the last fault and the last arrival.
Where arrivals change, bindings are held against those offered in the same windows.
"""

from __future__ import annotations

import math

from reports.recovery import HOLD
from reports.summary_schema import Series, Summary

TOLERANCE = 0.10
DEVIATIONS = 2.0


def recovers(summary: Summary) -> bool | None:
    """Whether the run recovers from all its faults; None where it cannot be told: a fault does not
    end, never struck, too little time is left after it to see, or nobody bound before the first."""
    ended = [fault for fault in summary.faults if fault.end is not None]
    if not ended or len(ended) < len(summary.faults) or any(f.struck == 0 for f in ended):
        return None
    first = min(fault.start for fault in ended)
    last = max(fault.end for fault in ended if fault.end is not None)
    if last >= summary.duration:
        return None
    for fault in ended:
        if fault.time_to_recover is None and fault.end is not None:
            seen = summary.duration - fault.end >= HOLD * fault.resolution
            return False if seen else None
    series = summary.series
    offered_before, bound_before = _counts(series, first / 2, first)
    offered_after, bound_after = _counts(
        series, summary.duration - (summary.duration - last) / 3, summary.duration
    )
    if not bound_before or not offered_before or not offered_after:
        return None
    expected = bound_before * offered_after / offered_before
    # The variance of `bound_after - expected`, both Poisson.
    chance = math.sqrt(expected + expected**2 / bound_before)
    return bound_after >= (1 - TOLERANCE) * expected - DEVIATIONS * chance


def slowest_recovery(summary: Summary) -> float | None:
    """The longest time to recover of all faults, in seconds; None when one was not recovered from,
    or there is none."""
    times = [None if f.struck == 0 else f.time_to_recover for f in summary.faults]
    if not times or None in times:
        return None
    return max(time for time in times if time is not None)


def _counts(series: Series, start: float, end: float) -> tuple[int, int]:
    """Arrivals offered and bindings in the windows whose middle lies in [start, end)."""
    inside = [n for n in range(len(series.active)) if start <= (n + 0.5) * series.width < end]
    return sum(series.offered[n] for n in inside), sum(series.active[n] for n in inside)
