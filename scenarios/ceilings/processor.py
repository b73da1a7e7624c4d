"""The one core that the event loop of a load generator, or of the gateways, can use.

The lender's own is the system under test: when that is full, the lender has a limit, which is what
a capacity search looks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scenarios.ceilings.met import IN_A_ROW, Met, longest_row, of_each_process, seen
from scenarios.ceilings.readings import Reading

TESTBED = ("load generator", "gateways")
FULL = 0.95
"""A loop's thread that has a processor for so much of the time is never idle: whatever comes stands
in line, and its wait is measured as the lender's. It is time on a processor, which a busy
neighbour takes away and never adds to."""


def processor(readings: Sequence[Reading]) -> Iterator[Met]:
    """Each process of the testbed whose loop was full for IN_A_ROW looks."""
    for own in of_each_process(readings):
        row = longest_row(own, lambda r: r.role in TESTBED and r.loop >= FULL)
        if len(row) >= IN_A_ROW:
            used = sum(r.loop for r in row) / len(row)
            yield seen("processor", row, f"{used:.0%} of the one core that it can use")
