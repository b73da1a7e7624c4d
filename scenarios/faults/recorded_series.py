"""Recorded series: a gateway is as slow and as faulty as it was in a recording, row by row."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from scenarios.distributions import Delay, impossible, lognormal
from scenarios.faults.base import Context, Effect, Fault
from scenarios.units import Seconds, Share

FAILURE = 503
"""The HTTP status of recorded errors, which is also their code: the target did nothing."""


class RecordedSeries(Fault):
    """Row n of the lists holds from `start` + n * `step` to `start` + (n + 1) * `step`.

    A call takes a log-normal time through the row's `p50` and `p99` instead of the gateway's own
    latency, and `error_share` of the calls are answered HTTP 503, after a time of the same
    distribution. A row that was not recorded (null) leaves the gateway as it is.
    """

    seen: ClassVar[str] = "answers as late as they were, and as many 503"

    kind: Literal["recorded-series"] = "recorded-series"
    target: Literal["bank", "sms", "payment"]
    step: Seconds = Field(default=60.0, gt=0, description="length of a row")
    p50: tuple[Seconds | None, ...] = Field(default=(), description="median latency by row")
    p99: tuple[Seconds | None, ...] = Field(default=(), description="99th percentile by row")
    error_share: tuple[Share | None, ...] = Field(default=(), description="failed calls by row")

    @model_validator(mode="after")
    def _rows_agree(self) -> RecordedSeries:
        if not self.p50 and not self.error_share:
            raise ValueError("nothing is recorded; write p50 and p99, or error_share, or all three")
        if len(self.p50) != len(self.p99):
            raise ValueError(
                f"p50 has {len(self.p50)} rows and p99 {len(self.p99)}; write as many in both"
            )
        if self.p50 and self.error_share and len(self.p50) != len(self.error_share):
            raise ValueError(
                f"p50 has {len(self.p50)} rows and error_share {len(self.error_share)}; write as"
                " many in both, null where nothing was recorded"
            )
        for row, (p50, p99) in enumerate(zip(self.p50, self.p99, strict=True)):
            if (p50 is None) != (p99 is None):
                raise ValueError(
                    f"row {row} has one of p50 and p99 only; write both, or null twice"
                )
            if p50 is not None and p99 is not None and (wrong := impossible(p50, p99)):
                what, _, mend = wrong.partition("; ")
                raise ValueError(f"{what} in row {row}; {mend}")
        return self

    @property
    def rows(self) -> int:
        """How many rows were recorded."""
        return max(len(self.p50), len(self.error_share))

    @cached_property
    def _latencies(self) -> tuple[Delay | None, ...]:
        return tuple(
            None if p50 is None or p99 is None else lognormal(p50, p99)
            for p50, p99 in zip(self.p50, self.p99, strict=True)
        )

    def effect(self, context: Context) -> Effect | None:
        row = int((context.now - self.start) // self.step)
        latency = self._latencies[row] if row < len(self._latencies) else None
        share = (self.error_share[row] if row < len(self.error_share) else None) or 0.0
        # One draw decides both: below the share it is an error, and where it lies in its part says
        # how long the answer takes.
        failed = context.uniform < share
        size = context.uniform / share if failed else (context.uniform - share) / (1 - share)
        took = None if latency is None else latency.at(min(size, 1 - 2**-53))
        if failed:
            return Effect(status=FAILURE, code=str(FAILURE), latency=took)
        return None if took is None else Effect(latency=took)
