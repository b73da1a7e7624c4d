"""A concurrency limit that finds its own size: additive increase, multiplicative decrease.

As in TCP's congestion avoidance (Jacobson, 1988) the limit grows by one in a round of good answers
and shrinks by a factor on congestion, at most once in a round.
"""

from __future__ import annotations

import math

from scenarios.policy import AdaptiveLimit as Settings


class AdaptiveLimit:
    """The limit of calls to one gateway."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._limit = float(settings.initial)
        self._inside = 0
        self._shrunk_at = -math.inf

    @property
    def limit(self) -> int:
        """Calls that may be under way at once."""
        return int(self._limit)

    def enter(self) -> bool:
        """Begin a call; False when the limit is reached."""
        if self._inside >= self.limit:
            return False
        self._inside += 1
        return True

    def leave(self, seconds: float | None, succeeded: bool, now: float) -> None:
        """A call ended after `seconds`; None when it was not made after all."""
        used = self._inside
        self._inside -= 1
        if seconds is None:
            return
        if succeeded and seconds <= self._settings.latency:
            # A limit that nobody reaches says nothing about what the gateway could bear.
            if used * 2 >= self.limit:
                self._limit = min(self._settings.highest, self._limit + 1 / self._limit)
        elif now - seconds >= self._shrunk_at:
            # Calls that began before the last decrease are news of the same congestion.
            self._limit = max(self._settings.lowest, self._limit * self._settings.decrease)
            self._shrunk_at = now
