"""A budget of retries: a token bucket filled by requests, not by time.

While everything works the bucket is full and retries are free; when everything fails, retries are
held to `ratio` of the requests, so they cannot multiply the load (as Finagle and gRPC do).
"""

from __future__ import annotations

from scenarios.policy import RetryBudget as Settings


class RetryBudget:
    """Tokens of one gateway."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tokens = settings.burst

    def request(self) -> None:
        """A request begins, and earns its part of a retry."""
        self._tokens = min(self._settings.burst, self._tokens + self._settings.ratio)

    def take(self) -> bool:
        """Whether there is a token for a retry, which is spent."""
        # Ten tenths add up to a hair less than one.
        if self._tokens < 1.0 - 1e-9:
            return False
        self._tokens -= 1.0
        return True
