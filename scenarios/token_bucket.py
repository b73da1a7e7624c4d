"""Token bucket: the rate limiter of gateways, faults and policies, in whatever clock."""

from __future__ import annotations


class TokenBucket:
    """Admits `rate` a second on average, with bursts up to `burst`."""

    __slots__ = ("_tokens", "_updated", "burst", "rate")

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self.burst = burst
        self._tokens = float(burst)
        self._updated = 0.0

    def take(self, now: float) -> bool:
        """Take one token at `now` (seconds, never going back); False when there is none."""
        elapsed = max(0.0, now - self._updated)
        self._tokens = min(self.burst, self._tokens + elapsed * self.rate)
        self._updated = max(self._updated, now)
        if self._tokens >= 1:
            self._tokens -= 1
            return True
        return False
