"""Circuit breaker: stops calling a gateway that fails, and finds out when it works again.

Closed, it watches the share of failures over a sliding window. Open, it refuses every call for a
while. Half-open, it lets a few probes through: if all succeed it closes, if one fails it opens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import StrEnum

from scenarios.policy import Breaker as Settings


class BreakerState(StrEnum):
    """`CLOSED`: calls pass; `OPEN`: none; `HALF_OPEN`: probes."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """The breaker of one gateway. `on_change` hears of every new state."""

    def __init__(
        self, settings: Settings, on_change: Callable[[BreakerState], None] | None = None
    ) -> None:
        self.state = BreakerState.CLOSED
        self._settings = settings
        self._on_change = on_change
        # (when the outcome was known in seconds, whether it was a failure)
        self._window: deque[tuple[float, bool]] = deque()
        self._failures = 0
        self._reopens_at = 0.0
        self._era = 0
        self._probing = 0
        self._passed = 0

    def admit(self, now: float) -> int | None:
        """A ticket to hand back with the call's outcome; None when the call must not be made."""
        if self.state == BreakerState.OPEN and now >= self._reopens_at:
            self._enter(BreakerState.HALF_OPEN)
        if self.state == BreakerState.OPEN:
            return None
        if self.state == BreakerState.HALF_OPEN:
            if self._probing + self._passed >= self._settings.probes:
                return None
            self._probing += 1
        return self._era

    def refuses(self, now: float) -> bool:
        """Whether a call at `now` would be refused; changes nothing."""
        if self.state == BreakerState.HALF_OPEN:
            return self._probing + self._passed >= self._settings.probes
        return self.state == BreakerState.OPEN and now < self._reopens_at

    def wait(self, now: float) -> float:
        """Seconds after which a refused caller may try again."""
        if self.state == BreakerState.OPEN:
            return max(0.0, self._reopens_at - now)
        return 0.0

    def settle(self, ticket: int, succeeded: bool | None, now: float) -> None:
        """The outcome of an admitted call; None when it was not made after all."""
        if ticket != self._era:
            # News from before the last change of state says nothing about now.
            return
        if self.state == BreakerState.HALF_OPEN:
            self._probing -= 1
            if succeeded is False:
                self._open(now)
            elif succeeded:
                self._passed += 1
                if self._passed >= self._settings.probes:
                    self._enter(BreakerState.CLOSED)
        elif self.state == BreakerState.CLOSED and succeeded is not None:
            self._remember(now, not succeeded)
            if not succeeded and self._is_failing():
                self._open(now)

    def _remember(self, now: float, failed: bool) -> None:
        window = self._window
        window.append((now, failed))
        self._failures += failed
        while len(window) > self._settings.window_calls or (
            window[0][0] <= now - self._settings.window
        ):
            self._failures -= window.popleft()[1]

    def _is_failing(self) -> bool:
        calls = len(self._window)
        return (
            calls >= self._settings.minimum_calls
            and self._failures >= self._settings.failure_share * calls
        )

    def _open(self, now: float) -> None:
        self._reopens_at = now + self._settings.open_for
        self._enter(BreakerState.OPEN)

    def _enter(self, state: BreakerState) -> None:
        self.state = state
        self._era += 1
        self._window.clear()
        self._failures = self._probing = self._passed = 0
        if self._on_change is not None:
            self._on_change(state)
