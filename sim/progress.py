"""Running figures of a simulation, for its progress display."""

from __future__ import annotations

from collections import deque

import numpy as np

from reports.progress import Progress

WINDOW_LATENCIES = 2000


class Tally:
    """Counts arrivals and endings, and keeps the newest latencies."""

    def __init__(self) -> None:
        self._arrivals = 0
        self._active = 0
        self._ended = 0
        self._latencies: deque[float] = deque(maxlen=WINDOW_LATENCIES)
        self._last = (0.0, 0)

    @property
    def under_way(self) -> int:
        """Customers who arrived and have not ended."""
        return self._arrivals - self._ended

    @property
    def active(self) -> int:
        """Bindings that became ACTIVE."""
        return self._active

    @property
    def customers(self) -> int:
        """Customers who arrived."""
        return self._arrivals

    def arrived(self) -> None:
        """A customer arrived."""
        self._arrivals += 1

    def answered(self, latency: float) -> None:
        """A request was answered after `latency` seconds."""
        self._latencies.append(latency)

    def ended(self, state: str) -> None:
        """A journey ended in `state`."""
        self._ended += 1
        self._active += state == "ACTIVE"

    def look(self, now: float, until: float, faults: tuple[str, ...]) -> Progress:
        """The figures at `now`; throughput is over the time since the last look."""
        then, active_then = self._last
        self._last = (now, self._active)
        elapsed = now - then
        return Progress(
            clock="sim",
            now=now,
            until=until,
            arrivals=self._arrivals,
            active=self._active,
            ended=self._ended,
            throughput=(self._active - active_then) / elapsed if elapsed > 0 else 0.0,
            p95=float(np.percentile(self._latencies, 95)) if self._latencies else 0.0,
            faults=faults,
        )
