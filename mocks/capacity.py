"""A first-come-first-served queue before `c` servers, without a clock of its own."""

from __future__ import annotations

from heapq import heapify, heapreplace


class ServerPool:
    """`servers` serve one request each; the rest wait in order of arrival.

    Service times are known on arrival, so the wait follows from the times at which the servers
    become free (Kiefer and Wolfowitz, 1955), and virtual and wall time need the same few lines.

    `busy`: seconds of service admitted so far.
    """

    __slots__ = ("_free_at", "busy")

    def __init__(self, servers: int) -> None:
        self.busy = 0.0
        self._free_at = [0.0] * servers
        heapify(self._free_at)

    def admit(self, now: float, service: float, share: float = 1.0) -> float:
        """The wait in seconds of a request that arrives at `now` and needs `service` seconds.

        With a `share` below 1, only so many of the servers may be busy when it starts (one at
        least); requests that were admitted before keep their times.
        """
        free_at = self._free_at
        if share < 1:
            left = max(1, round(len(free_at) * share))
            start = max(now, sorted(free_at)[len(free_at) - left])
        else:
            start = max(now, free_at[0])
        heapreplace(self._free_at, start + service)
        self.busy += service
        return start - now

    def idle(self, now: float) -> bool:
        """Whether a request that arrives at `now` is served at once."""
        return self._free_at[0] <= now
