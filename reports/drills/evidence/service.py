"""The service that customers got, second by second, from a drill's events."""

from __future__ import annotations

import warnings
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from reports.recorder import UnreadablePart, scan_events

_FAILED = (pl.col("status") == 0) | (pl.col("status") >= 500)


class ServiceLevel(msgspec.Struct, frozen=True):
    """Customers' requests by the second in which they began, from second 0 of the run.

    `answered` were served or declined, `failed` got HTTP 500 or above, or no answer.
    """

    answered: tuple[int, ...]
    failed: tuple[int, ...]

    @property
    def share(self) -> tuple[float, ...]:
        """Answered without a failure, 0 to 1; not a number in a second without requests."""
        return tuple(
            good / (good + bad) if good + bad else float("nan")
            for good, bad in zip(self.answered, self.failed, strict=True)
        )


def service_level(clock_folder: Path) -> ServiceLevel | None:
    """From the events of a clock; None when there are none, or none that can be read."""
    if not any((clock_folder / "events").glob("part-*.parquet")):
        return None
    with warnings.catch_warnings():
        # A part that cannot be read is left out; its checksum in the pack tells which.
        warnings.simplefilter("ignore", UnreadablePart)
        events = scan_events(clock_folder)
    by_second = (
        events.filter((pl.col("kind") == "request") & (pl.col("started") >= 0))
        .group_by(second=pl.col("started").floor().cast(pl.Int64))
        .agg(failed=_FAILED.sum(), total=pl.len())
        .collect()
    )
    if by_second.is_empty():
        return None
    seconds = by_second["second"].to_numpy()
    failed = np.bincount(seconds, weights=by_second["failed"].to_numpy())
    total = np.bincount(seconds, weights=by_second["total"].to_numpy())
    return ServiceLevel(
        answered=tuple((total - failed).astype(int).tolist()),
        failed=tuple(failed.astype(int).tolist()),
    )
