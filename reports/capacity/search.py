"""The search for the highest arrival rate at which the objectives hold. Pure: ask, measure, tell.

A rate is measured again and again until one outcome leads the other by `lead` measures (a
sequential probability ratio test, Wald 1945, for outcomes that come out the other way in at most
NOISE of the measures), or `most` measures left it open: such a rate is at the limit itself. Rates
are bracketed from `start` by a factor (of 2 if not told), then bisected on a logarithmic scale.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec

NOISE = 0.1
"""The share of measures that may come out the other way at a rate clear of the limit; what the
stated confidence rests on."""

State = Literal["searching", "found", "always", "never", "limited", "unsettled"]
"""`found`: between two rates as near as wanted. `always`, `never`: the objectives hold at the
highest, fail at the lowest rate allowed. `limited`: the rates above are not to be measured with
this testbed. `unsettled`: no more measures allowed, or outcomes too mixed, before the two rates
were so near."""

Decision = Literal["holds", "fails", "limited", "open"]


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Arrivals a second: where the search begins, and what it never leaves."""

    start: float
    lowest: float
    highest: float

    def __post_init__(self) -> None:
        """Raises ValueError on rates out of order."""
        if not 0 < self.lowest <= self.start <= self.highest:
            raise ValueError(
                f"rates are out of order: {self.lowest:g}/s <= {self.start:g}/s"
                f" <= {self.highest:g}/s does not hold"
            )


class Ask(msgspec.Struct, frozen=True):
    """Measure this rate so many times more; `first` is the number of the first of these measures,
    from 0, so that measure n of every rate can have the same random numbers."""

    rate: float
    first: int
    times: int


class Search:
    """`precision`: relative distance of the two ends at which the search is over. `lead` and `most`
    as in the module's description; `measures`: of all rates together, at most; `step`: the factor
    between two rates while one end is unknown."""

    def __init__(
        self,
        bounds: Bounds,
        *,
        precision: float,
        lead: int,
        most: int,
        measures: int,
        step: float = 2.0,
    ) -> None:
        if not precision > 0 or lead < 1 or most < lead or measures < 1 or not step > 1:
            raise ValueError("precision, lead, measures must be positive, most >= lead, step > 1")
        self._bounds = bounds
        self._precision = precision
        self._lead = lead
        self._most = most
        self._left = measures
        self._step = step
        self._counts: dict[float, list[int]] = {}
        self._beyond: set[float] = set()
        self._next: float | None = bounds.start
        self.state: State = "searching"

    @property
    def low(self) -> float | None:
        """The highest rate known to hold."""
        return max((rate for rate in self._counts if self.decided(rate) == "holds"), default=None)

    @property
    def high(self) -> float | None:
        """The lowest rate known to fail that is above `low`."""
        low = self.low or 0.0
        failed = (r for r in self._counts if self.decided(r) == "fails" and r > low)
        return min(failed, default=None)

    @property
    def beyond(self) -> float | None:
        """The lowest rate at which the testbed itself was the limit, if it was anywhere: whether
        the objectives hold there is not known."""
        return min(self._beyond, default=None)

    @property
    def confidence(self) -> float:
        """The probability, at least, that no decision was wrong: each errs with at most
        1 / (1 + odds ** lead), the chance of a gambler's ruin, odds = (1 - NOISE) / NOISE; the
        errors of all decided rates add up."""
        odds = (1 - NOISE) / NOISE
        decided = sum(1 for rate in self._counts if self.decided(rate) in ("holds", "fails"))
        return max(0.0, 1 - decided / (1 + odds**self._lead))

    def decided(self, rate: float) -> Decision:
        """What the measures of `rate` say so far."""
        if rate in self._beyond:
            return "limited"
        held, failed = self._counts.get(rate, (0, 0))
        if held - failed >= self._lead:
            return "holds"
        if failed - held >= self._lead:
            return "fails"
        return "open"

    def counts(self, rate: float) -> tuple[int, int]:
        """How many measures of `rate` held and failed."""
        held, failed = self._counts.get(rate, (0, 0))
        return held, failed

    def ask(self) -> Ask | None:
        """What to measure next, the same until told enough; None when the search is over."""
        if self.state != "searching" or self._next is None:
            return None
        held, failed = self.counts(self._next)
        # As many as the nearer decision needs if they all agree.
        wanted = self._lead - abs(held - failed)
        times = min(wanted, self._most - held - failed, self._left)
        return Ask(self._next, held + failed, times)

    def tell(self, rate: float, held: bool) -> None:
        """One measure of `rate` held, or failed. Results that nobody asked for count too."""
        self._counts.setdefault(rate, [0, 0])[0 if held else 1] += 1
        self._told()

    def tell_limited(self, rate: float) -> None:
        """The testbed was the limit in a measure of `rate`, which so says nothing of the objectives
        there or above: from now on the search stays below."""
        self._counts.setdefault(rate, [0, 0])
        self._beyond.add(rate)
        self._told()

    def _told(self) -> None:
        self._left -= 1
        if self.state != "searching" or self._next is None:
            return
        if self._settled(self._next):
            self._next = self._choose()
        if self.state == "searching" and self._left <= 0:
            self.state = "unsettled"

    @property
    def _end(self) -> float | None:
        """The lowest rate that is not to be gone up to: it fails, or cannot be measured."""
        ends = [each for each in (self.high, self.beyond) if each is not None]
        return min(ends, default=None)

    def _settled(self, rate: float) -> bool:
        return self.decided(rate) != "open" or sum(self.counts(rate)) >= self._most

    def _choose(self) -> float | None:
        low, high = self.low, self._end
        bounds = self._bounds
        if low is None or high is None:
            return self._bracket(low, high, bounds)
        if high / low - 1 <= self._precision:
            self.state = "limited" if high == self.beyond else "found"
            return None
        return self._between(low, high)

    def _bracket(self, low: float | None, high: float | None, bounds: Bounds) -> float | None:
        undecided = [rate for rate in self._counts if self.decided(rate) == "open"]
        if low is None:
            # Nothing holds yet: go down from the lowest rate that was tried.
            tried = min(r for r in (*undecided, high) if r is not None)
            if tried <= bounds.lowest:
                ends: dict[Decision, State] = {"fails": "never", "limited": "limited"}
                self.state = ends.get(self.decided(tried), "unsettled")
                return None
            return max(bounds.lowest, _short(tried / self._step))
        tried = max([low, *undecided])
        if tried >= bounds.highest:
            self.state = "always" if self.decided(tried) == "holds" else "unsettled"
            return None
        return min(bounds.highest, _short(tried * self._step))

    def _between(self, low: float, high: float) -> float | None:
        inside = sorted(r for r in self._counts if low < r < high)
        if not inside:
            return _middle(low, high)
        # Outcomes are mixed inside: come nearer to that stretch from the wider side.
        below, above = inside[0] / low, high / inside[-1]
        if max(below, above) - 1 <= self._precision / 2:
            self.state = "unsettled"
            return None
        return _middle(low, inside[0]) if below >= above else _middle(inside[-1], high)


def _middle(low: float, high: float) -> float:
    middle = _short(math.sqrt(low * high))
    return middle if low < middle < high else math.sqrt(low * high)


def _short(rate: float) -> float:
    """To 4 digits, so that people can type a measured rate again."""
    return float(f"{rate:.4g}")
