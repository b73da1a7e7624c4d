"""One pass over a clock's events, part by part: all that can be counted without sorting."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scenarios.contract import STEPS

Times = NDArray[np.float64]

UNSERVED = (pl.col("status") == 0) | (pl.col("status") >= 500)
FAILED = UNSERVED | ((pl.col("kind") == "otp") & (pl.col("code") != "READ"))
_OF_CUSTOMERS = pl.col("kind").is_in(["request", "otp"])

# A customer's level: 2i + 1 for having reached step i, 2i + 2 for having passed it. Payment is
# passed by becoming ACTIVE alone, since an accepted charge may still fail.
_DONE = (pl.col("code") == "READ") | pl.col("status").is_in([200, 201, 204])
_PASSED = (_DONE & (pl.col("step") != STEPS[-1])).cast(pl.Int8)
_LEVEL = (
    pl.when((pl.col("kind") == "end") & (pl.col("state") == "ACTIVE"))
    .then(pl.lit(2 * len(STEPS), pl.Int8))
    .otherwise(
        pl.col("step").replace_strict(
            {step: 2 * i + 1 for i, step in enumerate(STEPS)}, default=None, return_dtype=pl.Int8
        )
        + _PASSED
    )
    .alias("level")
)


def frames(parts: Sequence[Path], *columns: str) -> Iterator[pl.DataFrame]:
    """The parts one after another, all columns if none is named."""
    for part in parts:
        yield pl.read_parquet(part, columns=list(columns) or None, glob=False)


class Counted:
    """What the events in `parts` say. `width`: seconds of a window; `windows` counts requests and
    failures by (step, window of `intended`). Times are in seconds, in no particular order."""

    def __init__(self, parts: Sequence[Path], width: float) -> None:
        self.codes: Counter[tuple[str, str]] = Counter()
        self.requests: Counter[tuple[str, int]] = Counter()
        self.failures: Counter[tuple[str, int]] = Counter()
        self.calls: Counter[tuple[str, str, str]] = Counter()
        self.answered: Counter[tuple[str, str]] = Counter()
        self.endings: Counter[tuple[str, str]] = Counter()
        self.levels = np.zeros(0, np.int8)
        """By customer: they are numbered from 0, so an array does what a hash table would need far
        more room for."""
        arrived, late, ended, took = array("d"), array("d"), array("d"), array("d")
        bound = bytearray()
        window = (pl.col("intended") / width).floor().cast(pl.Int64).clip(0).alias("window")
        for frame in frames(parts):
            steps = frame.filter(_OF_CUSTOMERS)
            for step, code, count in steps.group_by("step", "code").agg(pl.len()).rows():
                self.codes[step, code] += count
            for step, at, count, failed in (
                steps.group_by("step", window).agg(pl.len(), FAILED.sum().alias("failed")).rows()
            ):
                self.requests[step, at] += count
                self.failures[step, at] += failed
            calls = frame.filter(pl.col("kind") == "call")
            for gateway, op, code, count, finite in (
                calls.group_by("gateway", "step", "code")
                .agg(pl.len(), pl.col("ended").is_finite().sum().alias("finite"))
                .rows()
            ):
                self.calls[gateway, op, code] += count
                self.answered[gateway, op] += finite
            ends = frame.filter(pl.col("kind") == "end")
            for state, cause, count in ends.group_by("state", "cause").agg(pl.len()).rows():
                self.endings[state, cause] += count
            self._raise_levels(frame)
            arrivals = frame.filter(pl.col("kind") == "arrival")
            _append(arrived, arrivals["intended"])
            _append(late, arrivals["started"] - arrivals["intended"])
            _append(ended, ends["ended"])
            _append(took, ends["ended"] - ends["intended"])
            bound += (ends["state"] == "ACTIVE").to_numpy().tobytes()
        self.arrived: Times = np.asarray(arrived)
        self.late: Times = np.asarray(late)
        self.ended: Times = np.asarray(ended)
        self.took: Times = np.asarray(took)
        self.bound = np.asarray(bound).view(np.bool_)

    def forget_times(self) -> None:
        """Let go of all times, when they are told."""
        self.arrived = self.late = self.ended = self.took = np.zeros(0)

    def _raise_levels(self, frame: pl.DataFrame) -> None:
        found = (
            frame.lazy()
            .filter(pl.col("customer") >= 0)
            .select("customer", _LEVEL)
            .drop_nulls()
            .collect()
        )
        if found.is_empty():
            return
        customers = found["customer"].to_numpy()
        most = int(customers.max()) + 1
        if most > len(self.levels):
            # Some room ahead, so that a day of parts does not copy the array a thousand times.
            raised = np.zeros(most + most // 8, np.int8)
            raised[: len(self.levels)] = self.levels
            self.levels = raised
        np.maximum.at(self.levels, customers, found["level"].to_numpy())


def _append(times: array[float], more: pl.Series) -> None:
    # One array that grows: thousands of small ones would take twice the room.
    times.frombytes(more.to_numpy().tobytes())
