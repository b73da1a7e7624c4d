"""Where acknowledged work is a second time: the standby, backups, shipped and archived log.

Every copy holds the work of all commits up to some moment, so what a recovery from it loses is what
was committed after that moment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from scenarios.topology import PostgresStandby, Topology, TwoSites

_WAIT_FOR_STANDBY = ("remote_write", "on", "remote_apply")


def waits_for_standby(topology: Topology) -> bool:
    """Whether customers are told only what the standby has.

    `remote_write` counts: what the standby's operating system has got survives the death of its
    processes, and no step of a drill takes its machine's power away.
    """
    return (
        isinstance(topology, PostgresStandby | TwoSites)
        and topology.synchronous
        and topology.commit in _WAIT_FOR_STANDBY
    )


@dataclass(slots=True)
class Link:
    """The way of the log from primary to standby; times and delays in seconds."""

    transit: float
    lag: float = 0.0
    lags_since: float = 0.0
    cut_at: float = math.inf

    def received(self, at: float) -> float:
        """The moment up to which commits had reached the standby at `at`."""
        left = min(at, self.cut_at)
        arrived = left - self.transit
        if self.lag:
            arrived = max(arrived - self.lag, min(arrived, self.lags_since - self.transit))
        return arrived

    def mend(self) -> None:
        """Neither lag nor cut: the standby catches up."""
        self.lag, self.cut_at = 0.0, math.inf


@dataclass(slots=True)
class Schedule:
    """Copies that begin every `every` seconds, the n-th at `first + n * every`, take `duration`,
    and hold what was committed when they began. Numbers may be negative: copies of earlier days.

    A copy that takes longer than `every` is followed by the next at once.
    """

    every: float
    duration: float
    first: float
    fewest: float = -math.inf
    """The number of the oldest copy there is."""
    spoiled: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.every = max(self.every, self.duration)

    def newest(self, at: float) -> int:
        """The number of the newest copy that was whole at `at`; may be below `fewest`."""
        return math.floor((at - self.duration - self.first) / self.every)

    def holds(self, number: int) -> float:
        """The moment up to which the copy holds all work."""
        return self.first + number * self.every

    def readable(self, at: float, older: int, keep: int) -> tuple[int, int] | None:
        """The newest readable copy at `at` after leaving out `older` readable ones, and how many
        were read to find it; None when none of the `keep` newest is left."""
        newest = self.newest(at)
        for read, number in enumerate(range(newest, newest - keep, -1), start=1):
            if number < self.fewest:
                return None
            if number in self.spoiled:
                continue
            if not older:
                return number, read
            older -= 1
        return None
