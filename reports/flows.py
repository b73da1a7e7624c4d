"""Customers in, customers out, bindings: a clock's flows as sorted times, for exact counts."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

Times = NDArray[np.floating]


class Flows(msgspec.Struct, frozen=True):
    """When customers were due (`arrived`), when they ended (`left`) and when those who were bound
    became ACTIVE (`active`): seconds since the run began, rising."""

    arrived: Times
    left: Times
    active: Times

    def bound(self, at: Times) -> NDArray[np.int64]:
        """Bindings before each instant."""
        return np.searchsorted(self.active, at, "left").astype(np.int64)

    def present(self, at: Times) -> NDArray[np.int64]:
        """Customers in the system at each instant."""
        came = np.searchsorted(self.arrived, at, "left")
        went = np.searchsorted(self.left, at, "left")
        return (came - went).astype(np.int64)


def flows(events: pl.LazyFrame) -> Flows:
    """The flows of a clock's events."""
    ends = events.filter(pl.col("kind") == "end")
    return Flows(
        arrived=_sorted(events.filter(pl.col("kind") == "arrival"), "intended"),
        left=_sorted(ends, "ended"),
        active=_sorted(ends.filter(pl.col("state") == "ACTIVE"), "ended"),
    )


def deepest(ours: Flows, twin: Flows, start: float, until: float) -> tuple[int, float]:
    """The largest shortfall of bindings against the twin since `start`, and when it was reached.

    (0, start) when the run was never behind before `until`.
    """
    mine = _between(ours.active, start, until)
    theirs = _between(twin.active, start, until)
    times = np.concatenate((mine, theirs))
    signs = np.concatenate((np.full(len(mine), -1), np.full(len(theirs), 1)))
    # At the same instant ours counts first, so that equal runs are never behind.
    order = np.lexsort((signs, times))
    behind = np.cumsum(signs[order])
    if not len(behind) or behind.max() <= 0:
        return 0, start
    worst = int(np.argmax(behind))
    return int(behind[worst]), float(times[order][worst])


def _between(times: Times, start: float, until: float) -> Times:
    low, high = np.searchsorted(times, (start, until), "left")
    return times[low:high]


def _sorted(rows: pl.LazyFrame, column: str) -> Times:
    return np.sort(rows.select(column).collect(engine="streaming")[column].to_numpy())
