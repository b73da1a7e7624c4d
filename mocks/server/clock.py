"""Wall time that never goes back."""

from __future__ import annotations

import time


class WallClock:
    """Seconds since the epoch as of its making, carried on by the monotonic clock: setting the
    machine's time does not disturb windows, delays and schedules."""

    __slots__ = ("_origin",)

    def __init__(self) -> None:
        self._origin = time.time() - time.monotonic()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._origin + time.monotonic()
