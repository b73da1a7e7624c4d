"""How well a replay met the recording that it was made from; see `docs/incidents-import.md`."""

from __future__ import annotations

import msgspec

ENOUGH = 0.9
"""The share of a series' rows that must be within its tolerance."""


class ReplaySeries(msgspec.Struct, frozen=True, kw_only=True):
    """One series, row by row, None where a row has no value.

    `of` is a gateway, or `customers` for arrivals. `measure`: `p50` and `p99` in seconds,
    `error_share`, or `rate` of arrivals per second. `tolerance` is relative, of an error share
    absolute. Of the `judged` rows, `within` meet it; `worst` is the largest deviation.
    """

    of: str
    measure: str
    recorded: tuple[float | None, ...]
    replayed: tuple[float | None, ...]
    tolerance: float
    judged: int
    within: int
    worst: float | None

    @property
    def share(self) -> float | None:
        """The share of the judged rows that meet the tolerance; None when none was judged."""
        return self.within / self.judged if self.judged else None

    @property
    def met(self) -> bool:
        """Whether enough of the judged rows are within the tolerance."""
        return self.share is not None and self.share >= ENOUGH


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """All series of a replay in rows of `step` seconds. `replayed` is the share of the rows within
    the tolerance, of the series that fits worst; None when nothing could be judged."""

    step: float
    replayed: float | None
    series: tuple[ReplaySeries, ...]
