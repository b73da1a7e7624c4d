"""Means with confidence intervals, from independent replications."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from scipy.special import stdtrit

from reports.numbers import significant
from scenarios.units import exact

LEVEL = 0.95
"""The confidence level of every interval."""


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """The mean of `count` replications and half the width of its confidence interval, in the
    figure's unit; no width with fewer than two replications."""

    count: int
    mean: float
    half_width: float | None

    @property
    def low(self) -> float | None:
        """The interval's lower end."""
        return None if self.half_width is None else self.mean - self.half_width

    @property
    def high(self) -> float | None:
        """The interval's upper end."""
        return None if self.half_width is None else self.mean + self.half_width

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of 0: a difference that is more than chance."""
        return self.half_width is not None and abs(self.mean) > self.half_width

    def within(self, relative: float) -> bool:
        """Whether half the width is at most this share of the mean."""
        if self.half_width is None:
            return False
        return exact(self.half_width) <= exact(relative) * abs(exact(self.mean))


def interval(values: Sequence[float | None], level: float = LEVEL) -> Interval | None:
    """Student's t interval of the mean of the values that are not None; None of no values.

    It takes the replications as independent and their figures as about normal.
    """
    known = [value for value in values if value is not None]
    if not known:
        return None
    count = len(known)
    half_width = None
    if count > 1:
        deviation = float(np.std(known, ddof=1))
        quantile = float(stdtrit(count - 1, (1 + level) / 2))
        half_width = significant(quantile * deviation / math.sqrt(count))
    return Interval(count=count, mean=significant(math.fsum(known) / count), half_width=half_width)


def paired(
    first: Sequence[float | None], second: Sequence[float | None], level: float = LEVEL
) -> Interval | None:
    """The mean of `second` minus `first`, replication by replication, where both have a value.

    On common random numbers the two go up and down together, so the difference is known far better
    than either. Raises ValueError on sequences of different lengths.
    """
    return interval(
        [None if a is None or b is None else b - a for a, b in zip(first, second, strict=True)],
        level,
    )
