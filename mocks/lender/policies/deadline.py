"""The moment until which a request is worth working on, passed down to every call it makes."""

from __future__ import annotations

import math

import msgspec


class Deadline(msgspec.Struct, frozen=True):
    """`at`: seconds on the world's clock; infinite: none."""

    at: float = math.inf

    def left(self, now: float) -> float:
        """Seconds left, 0 when it is over."""
        return max(0.0, self.at - now)

    def passed(self, now: float) -> bool:
        """Whether it is over."""
        return now >= self.at

    def clip(self, timeout: float, now: float) -> float:
        """`timeout`, or what is left if that is less."""
        left = self.at - now
        return timeout if timeout <= left else max(0.0, left)


NO_DEADLINE = Deadline()
