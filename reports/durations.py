"""Exact distributions of durations, whole and by window, of more events than fit into memory at
once.

How many there are of each kind is known beforehand, so each kind's durations fill one array,
ordered by window; kinds share a pass over the events as far as MOST_AT_ONCE allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from reports.counted import frames

Times = NDArray[np.float64]
MOST_AT_ONCE = 8_000_000
"""Durations in memory: 64 MB. A larger kind has its pass for itself."""

_COLUMNS = ("kind", "step", "gateway", "intended", "ended")


def quantiles(ordered: Times, levels: Sequence[float]) -> Times:
    """Quantiles of sorted values, linear between neighbours (Hyndman and Fan's type 7)."""
    at = np.asarray(levels) * (len(ordered) - 1)
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, len(ordered) - 1)
    share = at - low
    below, above = ordered[low], ordered[high]
    spread = above - below
    found: Times = np.where(share < 0.5, below + spread * share, above - spread * (1 - share))
    return found


def by_kind(
    parts: Sequence[Path],
    counts: Mapping[tuple[str, str], Sequence[int]],
    width: float,
    *,
    of: Callable[[pl.DataFrame], pl.DataFrame],
) -> Iterator[tuple[tuple[str, str], list[Times]]]:
    """For each kind in `counts`, (gateway, step), its durations by window, unsorted.

    `counts` says how many each window of `width` seconds has; what comes later belongs to the last
    one. `of` leaves the events that count. The arrays are the caller's to sort; they are slices of
    one array, in order.
    """
    for batch in _batches(counts):
        whole = {kind: np.empty(sum(counts[kind])) for kind in batch}
        bounds = {kind: np.cumsum([0, *counts[kind]]) for kind in batch}
        free = {kind: bounds[kind][:-1].copy() for kind in batch}
        for frame in frames(parts, *_COLUMNS):
            for (gateway, step), rows in (
                of(frame).partition_by("gateway", "step", as_dict=True).items()
            ):
                kind = (str(gateway), str(step))
                if kind in whole:
                    _fill(whole[kind], free[kind], rows, width)
        for kind in batch:
            array = whole.pop(kind)
            yield kind, np.split(array, bounds[kind][1:-1])


def whole(windows: list[Times]) -> Times:
    """The array whose slices, in order, are `windows`."""
    base = windows[0].base
    return windows[0] if base is None else base


def _batches(counts: Mapping[tuple[str, str], Sequence[int]]) -> Iterator[list[tuple[str, str]]]:
    batch: list[tuple[str, str]] = []
    held = 0
    for kind in sorted(counts):
        number = sum(counts[kind])
        if batch and held + number > MOST_AT_ONCE:
            yield batch
            batch, held = [], 0
        batch.append(kind)
        held += number
    if batch:
        yield batch


def _fill(array: Times, free: NDArray[np.int64], rows: pl.DataFrame, width: float) -> None:
    intended = rows["intended"].to_numpy()
    took = rows["ended"].to_numpy() - intended
    windows = np.clip(np.floor(intended / width), 0, len(free) - 1).astype(np.int64)
    order = np.argsort(windows, kind="stable")
    ordered = took[order]
    found, starts = np.unique(windows[order], return_index=True)
    for window, start, end in zip(found, starts, [*starts[1:], len(ordered)], strict=True):
        array[free[window] : free[window] + end - start] = ordered[start:end]
        free[window] += end - start
