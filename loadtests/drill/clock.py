"""The clock of a drill: time since the run began, and waits that an interruption ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event


class Stopped(Exception):
    """The drill is to end now."""


class DrillClock:
    """Seconds since `origin`, in seconds since the epoch."""

    def __init__(self, origin: float) -> None:
        self.origin = origin
        self._stop = Event()

    def now(self) -> float:
        """Seconds since the run began."""
        return time.time() - self.origin

    def sleep(self, seconds: float) -> None:
        """Wait. Raises Stopped."""
        if self._stop.wait(max(0.0, seconds)):
            raise Stopped

    def until(self, met: Callable[[], bool], timeout: float, every: float = 0.05) -> bool:
        """Wait until `met`, looked at every so many seconds; False after `timeout` seconds. Raises
        Stopped."""
        deadline = time.monotonic() + timeout
        while not met():
            if time.monotonic() >= deadline:
                return False
            self.sleep(every)
        return True

    def stop(self) -> None:
        """End all waits."""
        self._stop.set()


def utc(epoch: float) -> str:
    """A moment in ISO 8601, with milliseconds and `Z`."""
    text = datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
