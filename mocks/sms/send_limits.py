"""How many messages one number may be sent: so many a minute, an hour and a day."""

from __future__ import annotations

from bisect import bisect_right

from mocks.sms.sent_times import SentTimes
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
        self._sent = SentTimes(DAY)

    def exceeded(self, phone: str, now: float) -> str:
        """`minute`, `hour` or `day` if one more message would exceed that limit, else empty."""
        times = self._sent.of(int(phone))
        if not times:
            return ""
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
        self._sent.add(int(phone), now)
