"""Wall time as seconds since a run began."""

from __future__ import annotations

import time


class RunClock:
    """Counts from `origin`, in seconds since the epoch: negative before the run begins.

    The epoch is read once, so that a step of the machine's clock does not bend a run.
    """

    def __init__(self, origin: float) -> None:
        self.origin = origin
        self._began = time.monotonic() + (origin - time.time())

    def now(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began
