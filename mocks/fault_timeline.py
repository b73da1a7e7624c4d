"""Which faults strike a request: the same decision in both clocks."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

from scenarios.faults import Context, Effect, Fault
from scenarios.faults.base import Where
from scenarios.keyed import Keyed

_SUBJECTS = ("card_number", "phone", "agreement_no", "original_order_no", "order_no", "out_id")
"""Whom a call is about, as its caller knows it: the first of these that the payload has."""


class _Placed:
    """A fault with its window on the target's own clock, and what it remembers."""

    __slots__ = ("fault", "matched", "memory", "offset", "struck")

    def __init__(self, fault: Fault, offset: float) -> None:
        self.fault = fault
        self.offset = offset
        self.matched = 0
        self.struck = 0
        self.memory: dict[str, Any] = {}


class Listed(NamedTuple):
    """A fault that is set: the moment its window is counted from, whether it is in force, and how
    often it has struck (of a standing fault: how often it was asked for while in force)."""

    fault: Fault
    since: float
    in_force: bool
    struck: int


class FaultTimeline:
    """The faults that one party applies. Share and size of a strike are keyed by the request
    itself, so that a customer meets the same fault in both clocks."""

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed
        self._placed: list[_Placed] = []
        self._by_where: dict[str, list[_Placed]] = {}
        self._calls: dict[tuple[str, str, str], int] = defaultdict(int)

    def __len__(self) -> int:
        return len(self._placed)

    def put(self, fault: Fault, now: float = 0.0) -> None:
        """Add a fault whose `start` counts from `now`; one of the same label is replaced."""
        self.clear(fault.label)
        self._placed.append(_Placed(fault, now))
        self._sort()

    def clear(self, label: str | None = None) -> int:
        """Remove the fault called `label`, or all; returns how many went."""
        before = len(self._placed)
        self._placed = [p for p in self._placed if label is not None and p.fault.label != label]
        self._sort()
        return before - len(self._placed)

    def listed(self, now: float) -> list[Listed]:
        """Each fault that is set, as it stands at `now`."""
        return [
            Listed(p.fault, p.offset, p.fault.in_force(now - p.offset), p.struck)
            for p in self._placed
        ]

    def strike(
        self,
        op: str,
        issuer: str,
        subject: str,
        nth: int,
        now: float,
        *,
        where: Where = "requests",
        target: str = "",
    ) -> Effect | None:
        """The joint effect on the `nth` request of `op` about `subject` (at the SMS gateway: the
        phone); None when unharmed. Of calls to others, `target` is whom.

        Delays add up; the first fault that answers or cuts the connection wins.
        """
        joint: Effect | None = None
        here = self._by_where.get(where)
        if here is None:
            return None
        for placed in here:
            fault = placed.fault
            since = now - placed.offset
            if not fault.in_force(since) or (target and fault.target != target):
                continue
            if not fault.matches(op, issuer, subject):
                continue
            if fault.first is not None:
                if placed.matched >= fault.first:
                    continue
                placed.matched += 1
            effect = self._hit(placed, since, op, subject, nth)
            if effect is not None:
                placed.struck += 1
                joint = effect if joint is None else _join(joint, effect)
        return joint

    def strike_call(
        self, target: str, op: str, payload: dict[str, Any], now: float
    ) -> Effect | None:
        """What happens to a call that this party makes to `target`; None when nothing does."""
        if "calls" not in self._by_where:
            return None
        subject = str(next((payload[name] for name in _SUBJECTS if name in payload), ""))
        nth = self._calls[target, op, subject]
        self._calls[target, op, subject] = nth + 1
        return self.strike(op, "", subject, nth, now, where="calls", target=target)

    def strike_customer(self, op: str, number: int, nth: int, now: float) -> Effect | None:
        """What happens to the `nth` request of a customer on its way to the lender."""
        if "calls" not in self._by_where:
            return None
        return self.strike(op, "", str(number), nth, now, where="calls", target="lender")

    def standing(self, now: float) -> Effect | None:
        """What holds for the whole party at `now`, whatever is asked: capacity, clock, disk."""
        joint: Effect | None = None
        for placed in self._by_where.get("standing", ()):
            fault, since = placed.fault, now - placed.offset
            if fault.in_force(since):
                context = Context(since, 0.0, placed.memory, fault.strength(since))
                effect = fault.effect(context)
                if effect is not None:
                    placed.struck += 1
                    joint = effect if joint is None else _join(joint, effect)
        return joint

    def _hit(self, placed: _Placed, since: float, op: str, subject: str, nth: int) -> Effect | None:
        fault = placed.fault
        key = ("fault", fault.label, op, subject, nth)
        strength, share = 1.0, fault.share
        if fault.ramp:
            strength = fault.strength(since)
            if fault.ramp_grows == "share":
                share *= strength
        if share < 1:
            # A common cause has good and bad seconds, and strikes all of its group in the bad ones.
            second = int(since - fault.start)
            who: tuple[str | int, ...] = (*key, "share")
            if fault.group:
                who = ("group", fault.group, second)
            elif fault.per == "customer":
                who = ("fault", fault.label, "customer", subject)
            if self._keyed.uniform(*who) >= share:
                return None
        uniform = self._keyed.uniform(*key, "size")
        return fault.effect(Context(since, uniform, placed.memory, strength))

    def _sort(self) -> None:
        self._by_where = {}
        for placed in self._placed:
            self._by_where.setdefault(placed.fault.where, []).append(placed)
        if "calls" not in self._by_where:
            self._calls.clear()


def _join(one: Effect, other: Effect) -> Effect:
    decided = one if one.status or one.transport != "ok" else other
    limits = [limit for limit in (one.bandwidth, other.bandwidth) if limit]
    return Effect(
        delay=one.delay + other.delay,
        status=decided.status,
        code=decided.code,
        transport=decided.transport,
        processed=decided.processed,
        lose_callback=one.lose_callback or other.lose_callback,
        carrier_delay=one.carrier_delay + other.carrier_delay,
        manner=one.manner if one.manner != "whole" else other.manner,
        hold=max(one.hold, other.hold),
        wrong_order=one.wrong_order or other.wrong_order,
        bandwidth=min(limits, default=0.0),
        slowdown=one.slowdown * other.slowdown,
        copies=one.copies + other.copies,
        lose_message=one.lose_message or other.lose_message,
        capacity=one.capacity * other.capacity,
        skew=one.skew + other.skew,
        latency=one.latency if other.latency is None else other.latency,
        commit=one.commit + other.commit,
    )
