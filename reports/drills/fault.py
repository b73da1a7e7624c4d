"""Which step of a drill customers felt."""

from __future__ import annotations

from collections.abc import Sequence

from reports.drills.result import TimelineEntry
from scenarios.drill_steps import STEP_KINDS


def fault_entry(
    timeline: Sequence[TimelineEntry], *, synchronous: bool, last: bool = False
) -> TimelineEntry | None:
    """The first destroying step that customers could feel, or the `last`; None without one. A
    standby that cannot be reached holds up commits that wait for it (`synchronous`), no others."""
    felt = [
        entry
        for entry in timeline
        if entry.role == "destroys" and STEP_KINDS[entry.do].felt
        if entry.do != "cut-replication" or synchronous
    ]
    if not felt:
        return None
    return felt[-1] if last else felt[0]
