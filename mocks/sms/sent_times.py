"""When each number was sent a message, packed: a busy day has millions of numbers."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

N = TypeVar("N", int, float)

FEW = 50_000
"""Messages that are kept loose, and packed together once there are as many."""
MOST = 8 * FEW
"""Messages in one sheet: to merge larger ones would take long, and much memory meanwhile."""


class _Sheet:
    """Messages of some time, ordered by number and time."""

    __slots__ = ("newest", "numbers", "times")

    def __init__(self, numbers: array[int], times: array[float], newest: float) -> None:
        self.numbers = numbers
        self.times = times
        self.newest = newest


class SentTimes:
    """Times of messages by number, each remembered for at least `keep` seconds.

    The newest ones lie in a mapping; older ones in sheets of 16 bytes a message. Two sheets of a
    size become one, up to MOST, so that there are few to look at.
    """

    __slots__ = ("_few", "_keep", "_loose", "_loose_count", "_most", "_sheets")

    def __init__(self, keep: float, few: int = FEW, most: int = MOST) -> None:
        self._keep = keep
        self._few = few
        self._most = most
        # One time is kept as it is: most numbers are sent one message a day.
        self._loose: dict[int, float | tuple[float, ...]] = {}
        self._loose_count = 0
        self._sheets: list[_Sheet] = []

    def of(self, number: int) -> tuple[float, ...]:
        """The times (seconds) of messages to `number`, rising; some may be older than `keep`."""
        found: tuple[float, ...] = ()
        for sheet in self._sheets:
            at = bisect_left(sheet.numbers, number)
            while at < len(sheet.numbers) and sheet.numbers[at] == number:
                found = (*found, sheet.times[at])
                at += 1
        loose = self._loose.get(number)
        if loose is None:
            return found
        return (*found, *loose) if isinstance(loose, tuple) else (*found, loose)

    def add(self, number: int, now: float) -> None:
        """A message at `now` (seconds, never going back)."""
        loose = self._loose.get(number)
        if loose is None:
            self._loose[number] = now
        else:
            self._loose[number] = (*loose, now) if isinstance(loose, tuple) else (loose, now)
        self._loose_count += 1
        if self._loose_count >= self._few:
            self._pack(now)

    def _pack(self, now: float) -> None:
        numbers, times = array("Q"), array("d")
        for number, loose in self._loose.items():
            for time in loose if isinstance(loose, tuple) else (loose,):
                numbers.append(number)
                times.append(time)
        self._loose, self._loose_count = {}, 0
        sheets = [sheet for sheet in self._sheets if sheet.newest > now - self._keep]
        sheets.append(_sorted(numbers, times, now))
        while len(sheets) > 1 and len(sheets[-2].numbers) <= len(sheets[-1].numbers):
            if len(sheets[-1].numbers) + len(sheets[-2].numbers) > self._most:
                break
            newer, older = sheets.pop(), sheets.pop()
            sheets.append(
                _sorted(older.numbers + newer.numbers, older.times + newer.times, newer.newest)
            )
        self._sheets = sheets


def _sorted(numbers: array[int], times: array[float], newest: float) -> _Sheet:
    # Stable, and what was sent earlier stands earlier: each number's times rise.
    order = np.argsort(np.asarray(numbers), kind="stable")
    return _Sheet(_taken(numbers, order), _taken(times, order), newest)


def _taken(values: array[N], order: NDArray[np.intp]) -> array[N]:
    taken = values[:1] * len(values)
    # With another mode than this one, numpy would build a copy of the whole aside.
    np.take(np.asarray(values), order, out=np.asarray(taken), mode="clip")
    return taken
