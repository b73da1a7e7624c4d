"""What happened on a day, kept for the daily files that partners hand out."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone

import msgspec

CHINA = timezone(timedelta(hours=8), "UTC+8")
HOUR = 3600.0
KEPT_HOURS = 49
"""Entries older than this are dropped: a day's file can be read until the next day ends."""


class Entry(msgspec.Struct, frozen=True):
    """One entry: a name, a whole number, and its time in seconds."""

    name: str
    number: int
    time: float


class _Hour:
    """The entries of one hour, packed: a busy day has millions."""

    __slots__ = ("ends", "names", "numbers", "times")

    def __init__(self) -> None:
        self.names = bytearray()
        self.ends = array("Q")
        self.numbers = array("q")
        self.times = array("d")

    def add(self, name: str, number: int, at: float) -> None:
        self.names += name.encode(errors="surrogatepass")
        self.ends.append(len(self.names))
        self.numbers.append(number)
        self.times.append(at)

    def __iter__(self) -> Iterator[Entry]:
        start = 0
        for end, number, at in zip(self.ends, self.numbers, self.times, strict=True):
            yield Entry(self.names[start:end].decode(errors="surrogatepass"), number, at)
            start = end


class DailyLog:
    """Entries by the hour of their time, kept for so many hours; with 0, none is."""

    def __init__(self, kept_hours: int = KEPT_HOURS) -> None:
        self._hours: dict[int, _Hour] = {}
        self._kept_hours = kept_hours

    def add(self, name: str, number: int, at: float) -> None:
        """Enter something that happened `at` (seconds), and drop what is too old by then."""
        if not self._kept_hours:
            return
        hour = int(at // HOUR)
        kept = self._hours.get(hour)
        if kept is None:
            kept = self._hours[hour] = _Hour()
            for old in [past for past in self._hours if past <= hour - self._kept_hours]:
                del self._hours[old]
        kept.add(name, number, at)

    def between(self, start: float, end: float) -> list[Entry]:
        """Entries of [start, end) seconds: by the hour, within it as they were made."""
        return [
            entry
            for hour in sorted(self._hours)
            if start < (hour + 1) * HOUR and hour * HOUR < end
            for entry in self._hours[hour]
            if start <= entry.time < end
        ]


def day_bounds(day: date) -> tuple[float, float]:
    """Seconds since the epoch at which `day` begins and ends in China."""
    midnight = datetime.combine(day, time(), CHINA)
    return midnight.timestamp(), (midnight + timedelta(days=1)).timestamp()
