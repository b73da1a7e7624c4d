"""What a run says of itself while it goes on, in either clock."""

from __future__ import annotations

import msgspec


class Progress(msgspec.Struct, frozen=True):
    """A look at a running run: times in seconds since it began, `throughput` in ACTIVE bindings a
    second and `p95` in seconds of step latency, both over the last few seconds."""

    clock: str
    now: float
    until: float
    arrivals: int
    active: int
    ended: int
    throughput: float
    p95: float
    faults: tuple[str, ...]
