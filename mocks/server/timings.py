"""Where a lender request's time went: what the simulator is calibrated from."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import msgspec

from mocks.server.ring import Ring

TIMINGS_KEPT = 100_000


class Tally(msgspec.Struct):
    """Seconds of one request spent waiting: for gateways, for durable commits (and how many), and
    in line (for a worker, or for a connection to a gateway)."""

    calls: float = 0.0
    commits: float = 0.0
    commit_count: int = 0
    lines: float = 0.0


TALLY: ContextVar[Tally | None] = ContextVar("tally", default=None)
"""The tally of the request that is being worked on, if it is one."""


class Timings:
    """The last TIMINGS_KEPT measurements, for `/__admin/timings`."""

    def __init__(self) -> None:
        self.ring: Ring[list[Any]] = Ring(TIMINGS_KEPT)

    def request(self, op: str, at: float, total: float, tally: Tally) -> None:
        """A request of `op` came at `at` (epoch seconds) and took `total` seconds. Row:
        `["request", op, at, total, calls, commits, lines, commit_count]`."""
        self.ring.append(
            [
                *("request", op, at, total),
                *(tally.calls, tally.commits, tally.lines, tally.commit_count),
            ]
        )

    def call(self, gateway: str, op: str, at: float, elapsed: float, outcome: str) -> None:
        """A gateway call took `elapsed` seconds; `outcome` is OK or the failure's reason. Row:
        `["call", gateway, op, at, elapsed, outcome]`."""
        self.ring.append(["call", gateway, op, at, elapsed, outcome])
