"""The pace at which a backlog is worked off, so that a partner that just came back stays up."""

from __future__ import annotations


class Drain:
    """`rate` a second, evenly: what was not used earlier is not made up for."""

    def __init__(self, rate: float) -> None:
        self._gap = 1.0 / rate
        self._next = 0.0

    def wait(self, now: float) -> float:
        """Seconds until one more may go."""
        return max(0.0, self._next - now)

    def take(self, now: float) -> None:
        """One goes."""
        self._next = now + self._gap
