"""Which months are worth a simulation."""

from __future__ import annotations

from collections.abc import Sequence

from reports.plan.result import MonthPlan


def to_confirm(months: Sequence[MonthPlan], wanted: int) -> tuple[MonthPlan, ...]:
    """At most `wanted` months: the one with the highest peak, then of each other number of nodes
    the fullest one, most nodes first."""
    fullest: dict[float, MonthPlan] = {}
    for month in months:
        nodes = month.bought["nodes"]
        if nodes not in fullest or month.peak.value > fullest[nodes].peak.value:
            fullest[nodes] = month
    chosen = sorted(fullest.values(), key=lambda month: -month.peak.value)[:wanted]
    return tuple(sorted(chosen, key=lambda month: month.month))
