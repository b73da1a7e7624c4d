"""Which resource saturates first. Pure.

A resource is saturated when it is busy for SATURATED of the time, or turns calls away, at the
lowest rate that fails. Of several, the first is the one whose use, grown in proportion to the load
from the lowest rate measured, is full at the lowest rate: what fills up later fills up because
requests wait for the first. A writer that commits in groups is busy long before it is a
bottleneck, so database commits count only where they are what requests wait for.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from reports.capacity.result import Bottleneck, Measured, Usage
from reports.capacity.usage import COMMITS, TESTBED
from reports.numbers import shown

SATURATED = 0.85
REFUSED = 0.01
"""The share of calls turned away from which a limit counts as reached."""
MOSTLY = 0.5
"""The share of the time that requests take, or take longer than at the lowest rate, which commits
must account for to be to blame."""


def find_bottleneck(measures: Sequence[Measured], failing: float | None) -> Bottleneck | None:
    """The bottleneck at the rate `failing`, or at the highest rate measured if none failed; None
    without measures."""
    if not measures:
        return None
    rates = sorted({each.rate for each in measures})
    full = [each for each in measures if each.rate == (failing or rates[-1])]
    light = [each for each in measures if each.rate == rates[0]]
    usage = {resource: _mean(full, resource) for resource in _resources(full)}
    commits = _wait_for_commits(light, full)
    saturated = [
        each
        for each in usage.values()
        if (each.used >= SATURATED or each.refused >= REFUSED)
        and (each.resource != COMMITS or commits)
    ]
    if saturated:
        first = min(saturated, key=lambda each: _full_at(light, each, rates[0]))
        return Bottleneck(
            resource=first.resource, used=first.used, saturated=True, why=_why(first, full[0].rate)
        )
    busiest = max(
        (each for each in usage.values() if each.resource != COMMITS),
        key=lambda each: each.used,
    )
    why = f"nothing is saturated at {shown(full[0].rate, '/s')}; this is the busiest"
    return Bottleneck(
        resource=busiest.resource,
        used=busiest.used,
        saturated=False,
        why=f"{why}, {busiest.detail}",
    )


def _resources(measures: Sequence[Measured]) -> list[str]:
    return list(dict.fromkeys(usage.resource for each in measures for usage in each.usage))


def _mean(measures: Sequence[Measured], resource: str) -> Usage:
    known = [usage for each in measures if (usage := each.used(resource)) is not None]
    return Usage(
        resource=resource,
        used=fmean(usage.used for usage in known),
        detail=known[0].detail,
        refused=fmean(usage.refused for usage in known),
    )


def _full_at(light: Sequence[Measured], full: Usage, rate: float) -> float:
    """The rate at which the resource would be full if its use grew in proportion to the load."""
    known = [usage.used for each in light if (usage := each.used(full.resource)) is not None]
    share = fmean(known) if known else 0.0
    return rate / share if share > 0 else float("inf")


def _wait_for_commits(light: Sequence[Measured], full: Sequence[Measured]) -> bool:
    before = [each.times for each in light if each.times is not None]
    after = [each.times for each in full if each.times is not None]
    if not before or not after:
        return False
    commits, whole = fmean(t.commits for t in after), fmean(t.whole for t in after)
    more = commits - fmean(t.commits for t in before)
    longer = whole - fmean(t.whole for t in before)
    return commits >= MOSTLY * whole or (more > 0 and more >= MOSTLY * longer)


def _why(first: Usage, rate: float) -> str:
    text = f"{shown(first.used, 'share')} used at {shown(rate, '/s')} ({first.detail})"
    if first.refused >= REFUSED:
        text += f", {shown(first.refused, 'share')} of the calls turned away"
    if first.resource in TESTBED:
        text += "; this is the test's own limit, the lender may carry more on a machine of its own"
    return text
