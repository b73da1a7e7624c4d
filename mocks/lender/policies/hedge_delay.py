"""When a call takes longer than most do: the moment to send a second one beside it.

Waiting for a high percentile of the latency keeps the extra load to the share above it (Dean and
Barroso, "The Tail at Scale", CACM 2013).
"""

from __future__ import annotations

from collections import deque

from scenarios.policy import Hedge

_KNOWN = 200
_ENOUGH = 20


class HedgeDelay:
    """The delay before a hedge of one operation, from its recent latencies."""

    def __init__(self, settings: Hedge) -> None:
        self._settings = settings
        self._recent: deque[float] = deque(maxlen=_KNOWN)
        self._since = 0
        self.seconds = settings.delay

    def observe(self, seconds: float) -> None:
        """A call was answered after `seconds`."""
        self._recent.append(seconds)
        self._since += 1
        if self._since >= _ENOUGH:
            self._since = 0
            ranked = sorted(self._recent)
            self.seconds = ranked[int(self._settings.percentile * len(ranked))]
