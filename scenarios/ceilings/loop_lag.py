"""How late the event loops of load generator and gateways wake up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scenarios.ceilings.met import IN_A_ROW, Met, longest_row, of_each_process, seen
from scenarios.ceilings.processor import TESTBED
from scenarios.ceilings.readings import Reading

LAG = 0.25
"""Seconds, on average over a look. Every answer of such a loop comes so much later, a dozen times
in a journey. Beside eight programs that spun on two cores, an idle loop woke up 0.01 s late."""


def loop_lag(readings: Sequence[Reading]) -> Iterator[Met]:
    """Each process of the testbed whose loop was late for IN_A_ROW looks. A gateway that a fault
    lets stand still has one look that is very late."""
    for own in of_each_process(readings):
        row = longest_row(own, lambda r: r.role in TESTBED and r.lag >= LAG)
        if len(row) >= IN_A_ROW:
            late = sum(r.lag for r in row) / len(row)
            yield seen("event loop", row, f"it woke up {late:.2f} s late on average")
