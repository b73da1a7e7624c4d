"""What a run lost to its faults, measured against its no-fault twin; see `docs/recovery.md`."""

from __future__ import annotations

import msgspec


class FaultImpact(msgspec.Struct, frozen=True, kw_only=True):
    """One fault against the twin, from its `start` to `until`, where the next fault starts.

    Times are in seconds since the run began, those called `time_…` are lengths. `end` is None for
    a fault that lasts; then nothing counts from its end. `window`: width in which bindings are
    counted; `hold`: how long throughput must stay with the twin's to count as recovered.

    `detected_by` is `success` or `throughput`, empty when nothing was breached. `lost_at_most`:
    the deepest shortfall of bindings since the start. `recovered_at` is None when throughput did
    not come back. Backlogs are customers in the system above the twin's. `amplification`, by
    gateway: calls per binding attempt over the twin's, from the start until recovered.
    """

    label: str
    target: str
    start: float
    end: float | None
    until: float
    window: float
    hold: float
    time_to_detect: float | None
    detected_by: str
    lost_at_most: int
    lost_at_most_at: float
    recovered_at: float | None
    time_from_start: float | None
    time_from_end: float | None
    backlog_at_end: int | None
    backlog_peak: int
    backlog_peak_at: float
    time_to_drain: float | None
    amplification: dict[str, float]


class Fates(msgspec.Struct, frozen=True, kw_only=True):
    """Customers one by one against the twin.

    `lost`: ACTIVE in the twin, ended otherwise here; `unfinished`: ACTIVE in the twin, no end here;
    `gained`: ACTIVE here alone. `came_back`: ACTIVE in both, here by more than a second later, by
    so many seconds at the median, the 95th percentile and at most (None without such customers).
    """

    lost: int
    unfinished: int
    gained: int
    came_back: int
    later_p50: float | None
    later_p95: float | None
    later_max: float | None


class Curves(msgspec.Struct, frozen=True, kw_only=True):
    """The run and its twin at the instants i * `step`: bindings a second over the `window` around
    the instant, customers in the system, and bindings lost so far."""

    step: float
    window: float
    throughput: tuple[float, ...]
    twin_throughput: tuple[float, ...]
    in_system: tuple[int, ...]
    twin_in_system: tuple[int, ...]
    lost: tuple[int, ...]


class Resilience(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run against its twin.

    `lost_at_most` is the deepest shortfall of bindings, `lost_bindings` that at the end, below 0
    for a gain. `amplification`: of the faults' the largest, by gateway. Money is charged and not
    refunded, in CNY fen; None where the clock does not tell.
    """

    bindings: int
    twin_bindings: int
    lost_bindings: int
    lost_at_most: int
    lost_at_most_at: float
    amplification: dict[str, float]
    fates: Fates
    money_stuck_fen: int | None
    twin_money_stuck_fen: int | None
    faults: tuple[FaultImpact, ...]
    curves: Curves
