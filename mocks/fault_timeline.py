"""Which faults strike a request: the same decision in both clocks."""

from __future__ import annotations

from typing import Any

from scenarios.faults import Context, Effect, Fault
from scenarios.keyed import Keyed


class _Placed:
    """A fault with its window on the target's own clock, and what it remembers."""

    __slots__ = ("fault", "matched", "memory", "offset")

    def __init__(self, fault: Fault, offset: float) -> None:
        self.fault = fault
        self.offset = offset
        self.matched = 0
        self.memory: dict[str, Any] = {}


class FaultTimeline:
    """The faults of one target. Share and size of a strike are keyed by the request itself, so that
    a customer meets the same fault in both clocks."""

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed
        self._placed: list[_Placed] = []

    def put(self, fault: Fault, now: float = 0.0) -> None:
        """Add a fault whose `start` counts from `now`; one of the same label is replaced."""
        self.clear(fault.label)
        self._placed.append(_Placed(fault, now))

    def clear(self, label: str | None = None) -> int:
        """Remove the fault called `label`, or all; returns how many went."""
        before = len(self._placed)
        self._placed = [p for p in self._placed if label is not None and p.fault.label != label]
        return before - len(self._placed)

    def listed(self, now: float) -> list[tuple[Fault, float, bool]]:
        """Each fault, the moment its window is counted from, and whether it is in force."""
        return [(p.fault, p.offset, p.fault.in_force(now - p.offset)) for p in self._placed]

    def strike(
        self, op: str, issuer: str, subject: str, nth: int, now: float, *, callback: bool = False
    ) -> Effect | None:
        """The joint effect on the `nth` request of `op` about `subject`; None when unharmed.

        Delays add up; the first fault that answers or cuts the connection wins.
        """
        joint: Effect | None = None
        for placed in self._placed:
            fault = placed.fault
            since = now - placed.offset
            if fault.on_callbacks is not callback or not fault.in_force(since):
                continue
            if not fault.matches(op, issuer):
                continue
            if fault.first is not None:
                if placed.matched >= fault.first:
                    continue
                placed.matched += 1
            key = ("fault", fault.label, op, subject, nth)
            if fault.share < 1 and self._keyed.uniform(*key, "share") >= fault.share:
                continue
            effect = fault.effect(Context(since, self._keyed.uniform(*key, "size"), placed.memory))
            if effect is not None:
                joint = effect if joint is None else _join(joint, effect)
        return joint


def _join(one: Effect, other: Effect) -> Effect:
    decided = one if one.status or one.transport != "ok" else other
    return Effect(
        delay=one.delay + other.delay,
        status=decided.status,
        code=decided.code,
        transport=decided.transport,
        processed=decided.processed,
        lose_callback=one.lose_callback or other.lose_callback,
        carrier_delay=one.carrier_delay + other.carrier_delay,
        latency=one.latency if other.latency is None else other.latency,
    )
