"""The cores of the machine, which lender, gateways and load generator share.

They are a ceiling of the testbed only where the lender could not fill the core that it can use: on
a machine of its own it would carry more. A lender that did fill it has met its own limit.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import fmean

import msgspec

from scenarios.ceilings.met import IN_A_ROW, Met
from scenarios.ceilings.readings import Reading

FULL = 0.9
"""The share of all cores that the test's own processes use between them: whoever wants a core waits
most of the time, and commits leave a core idle now and then however many wait. What other programs
use does not count: a machine that is busy with something else shows in lag and lateness."""
LENDER_FULL = 0.85
"""Of one core, from which a capacity search calls the lender's processor saturated
(`reports.capacity.bottleneck`)."""


class _Second(msgspec.Struct):
    """Cores used within one second, by role, of how many."""

    at: int
    used: dict[str, float]
    cores: float

    @property
    def full(self) -> bool:
        together = sum(self.used.values())
        return together >= FULL * self.cores and self.used.get("lender", 0.0) < LENDER_FULL


def cores(readings: Sequence[Reading]) -> Iterator[Met]:
    """Each machine whose cores were full for IN_A_ROW seconds while the lender had not its own."""
    hosts: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        hosts[reading.host].append(reading)
    for found in hosts.values():
        if not any(reading.role == "lender" for reading in found):
            continue  # nothing there that could have used more
        row = _longest(_seconds(found))
        if len(row) >= IN_A_ROW:
            yield Met(
                ceiling="cores",
                process="the machine",
                at=float(row[0].at),
                until=float(row[-1].at + 1),
                detail=_shares(row),
            )


def _seconds(readings: Sequence[Reading]) -> list[_Second]:
    by_second: dict[int, dict[str, Reading]] = defaultdict(dict)
    for reading in readings:
        # Every second whose middle a reading covers: processes do not look at the same moments.
        first, last = reading.at - reading.seconds - 0.5, reading.at - 0.5
        for at in range(math.ceil(first), math.ceil(last)):
            by_second[at][reading.process] = reading
    found = []
    for at in sorted(by_second):
        used: dict[str, float] = defaultdict(float)
        for reading in by_second[at].values():
            used[reading.role] += reading.processor
        found.append(_Second(at, dict(used), min(r.cores for r in by_second[at].values())))
    return found


def _longest(seconds: Sequence[_Second]) -> Sequence[_Second]:
    best: list[_Second] = []
    row: list[_Second] = []
    for second in seconds:
        row = [*row, second] if second.full else []
        best = max(best, row, key=len)
    return best


def _shares(row: Sequence[_Second]) -> str:
    roles = sorted({role for second in row for role in second.used})
    parts = ", ".join(
        f"{role} {fmean(second.used.get(role, 0.0) for second in row):.2f}" for role in roles
    )
    together = fmean(sum(second.used.values()) for second in row)
    return (
        f"{together:.2f} of {row[0].cores:g} were used ({parts}), so the lender could not use more"
    )
