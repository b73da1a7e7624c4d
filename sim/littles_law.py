"""Little's law as a check of the simulator's own bookkeeping: L = lambda * W (Little 1961).

Over any stretch of time, the integral of the number inside equals the sum of the times spent
inside. The two sides come from different places: the number from who is inside when somebody comes
or goes, on the environment's clock; the times from each visitor's own account. A visitor whose own
clock runs apart, or who was inside at other times than was counted, breaks the equality.
"""

from __future__ import annotations

TOLERANCE = 1e-6
"""Relative difference that the rounding of sums may make."""


class LittlesLawBroken(Exception):
    """The simulator lost count: a defect of it, not of the scenario. One line."""


class Inside:
    """Who is inside of something called `name`, from the first who enters."""

    __slots__ = ("_area", "_began", "_entered", "_last", "_left", "_times", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._entered: dict[int, float] = {}
        self._began = self._last = self._area = self._times = 0.0
        self._left = 0

    def __len__(self) -> int:
        return len(self._entered)

    def enter(self, who: int, now: float) -> None:
        """`who` enters at `now` (seconds)."""
        self._area += len(self._entered) * (now - self._last)
        self._last = now
        self._entered[who] = now

    def leave(self, who: int, now: float, spent: float) -> None:
        """`who` leaves at `now`, having spent `spent` seconds inside by their own account."""
        self._area += len(self._entered) * (now - self._last)
        self._last = now
        if self._entered.pop(who, None) is None:
            raise LittlesLawBroken(
                f"virtual time lost count of {self.name}: number {who} leaves without being inside;"
                " please report this as a defect of the simulator"
            )
        self._times += spent
        self._left += 1

    def empty(self, now: float) -> None:
        """All who are inside leave at once, as when a process is killed."""
        for who, entered in list(self._entered.items()):
            self.leave(who, now, now - entered)

    def check(self, now: float) -> None:
        """Raises LittlesLawBroken unless both sides agree from the beginning to `now`."""
        area = self._area + len(self._entered) * (now - self._last)
        times = self._times + sum(now - entered for entered in self._entered.values())
        if abs(area - times) <= TOLERANCE * max(area, times, 1.0):
            return
        count = self._left + len(self._entered)
        raise LittlesLawBroken(
            f"virtual time lost count of {self.name}: {area / now:.6g} inside on average, but"
            f" {count / now:.6g}/s staying {times / count if count else 0.0:.6g} s make"
            f" {times / now:.6g} (Little's law); please report this as a defect of the simulator"
        )
