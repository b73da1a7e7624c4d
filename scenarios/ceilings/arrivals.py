"""Locust's lateness: customers who were issued later than planned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scenarios.ceilings.met import Met, longest_row, of_each_process, seen
from scenarios.ceilings.readings import Reading

LATE = 1.0
"""Seconds. Lateness counts as the lender's latency (from the intended start), and a second is the
order of what objectives ask for."""
IN_A_ROW = 3
"""Looks with arrivals in which not one was issued in time. A load generator that only stumbled has
caught up within a look, since arrivals that are due are issued at once: this one fell behind and
stayed there. Fewer looks than of other ceilings, because this is the harm itself."""


def late_arrivals(readings: Sequence[Reading]) -> Iterator[Met]:
    """Each load generator that could not issue its customers when they were due."""
    for own in of_each_process(readings):
        issuing = [reading for reading in own if reading.lateness is not None]
        row = longest_row(issuing, lambda r: r.lateness is not None and r.lateness > LATE)
        if len(row) >= IN_A_ROW:
            most = max(r.lateness for r in row if r.lateness is not None)
            yield seen("arrivals", row, f"issued at least {most:.1f} s later than planned")
