"""From the measures of one clock to its limit."""

from __future__ import annotations

from collections.abc import Sequence

from reports.capacity.bottleneck import find_bottleneck
from reports.capacity.result import Limit, LimitState, Measured
from reports.capacity.search import Bounds, Search
from reports.capacity.usl import fit_usl
from reports.numbers import significant
from reports.run_folder import Clock


def limit_of(
    clock: Clock,
    search: Search,
    bounds: Bounds,
    state: LimitState,
    measures: Sequence[Measured],
    lead: int,
    beyond: Sequence[Measured] = (),
) -> Limit:
    """The limit that `search` came to, the resource that saturates first, and the fitted law; the
    measures `beyond`, in which the testbed was the limit, take no part in it."""
    return Limit(
        clock=clock,
        state=state,
        low=search.low,
        high=search.high,
        lowest=bounds.lowest,
        highest=bounds.highest,
        confidence=significant(search.confidence),
        lead=lead,
        measures=_ordered(measures),
        beyond=_ordered(beyond),
        bottleneck=find_bottleneck(measures, search.high),
        usl=fit_usl(
            [each.concurrency for each in measures], [each.throughput for each in measures]
        ),
    )


def _ordered(measures: Sequence[Measured]) -> tuple[Measured, ...]:
    return tuple(sorted(measures, key=lambda each: (each.rate, each.number)))
