"""How many messages one number may be sent: so many a minute, an hour and a day."""

from __future__ import annotations

from bisect import bisect_right

from mocks.recent import Recent
from scenarios.world import SmsLimits

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
CHINA = 8 * HOUR
"""Seconds that China's clocks are ahead of UTC."""


class SendLimits:
    """The accepted messages of each number, whether they are delivered or not.

    Minutes and hours roll; the day rolls too or is the calendar's, from midnight in China, `now`
    being seconds since the epoch (a virtual run thus begins at 08:00).
    """

    def __init__(self, limits: SmsLimits) -> None:
        self._limits = limits
        # One time is kept as it is: most numbers are sent one message a day, and there are many.
        self._accepted: Recent[int, float | tuple[float, ...]] = Recent(DAY)

    def exceeded(self, phone: str, now: float) -> str:
        """`minute`, `hour` or `day` if one more message would exceed that limit, else empty."""
        times = self._times(phone)
        limits = self._limits
        calendar = limits.day_is == "calendar"
        midnight = (now + CHINA) // DAY * DAY - CHINA
        windows = (
            ("minute", limits.minute, now - MINUTE),
            ("hour", limits.hour, now - HOUR),
            ("day", limits.day, midnight - 1e-9 if calendar else now - DAY),
        )
        for name, most, since in windows:
            if len(times) - bisect_right(times, since) >= most:
                return name
        return ""

    def accept(self, phone: str, now: float) -> None:
        """Count one message at `now` (seconds)."""
        times = (*self._times(phone), now)[-self._limits.day :]
        self._accepted.put(int(phone), times if len(times) > 1 else now, now)

    def _times(self, phone: str) -> tuple[float, ...]:
        times = self._accepted.get(int(phone))
        if times is None:
            return ()
        return times if isinstance(times, tuple) else (times,)
