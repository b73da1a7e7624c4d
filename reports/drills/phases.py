"""Time to recovery and its parts, from what customers met and from when each step was done.

Customers judge: a request that began at or after the fault is good when it was answered below HTTP
500. Time since the fault is cut into seconds. Service is back at the start of the first second from
which, for `stable_for`, each second that has requests has a share of at least `back_at` good ones,
looked for after the first second that fell short, and after the alarm. No second fell short: it was
never away.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

from reports.drills.result import PhaseName, PhaseTime, TimelineEntry

AFTERWARDS = frozenset({"reconcile"})
"""Healing steps that service does not wait for."""


class Answer(msgspec.Struct, frozen=True):
    """One request of a customer: seconds since the run began, and whether the service worked."""

    started: float
    ended: float
    good: bool


class Recovery(msgspec.Struct, frozen=True):
    """`back_at` in seconds since the run began (None: not until the last request), and the parts of
    the time from the fault until then, which add up to it; none without `back_at`."""

    back_at: float | None
    phases: tuple[PhaseTime, ...]


def recovery(
    answers: Iterable[Answer],
    timeline: Sequence[TimelineEntry],
    fault_at: float,
    *,
    share: float,
    stable_for: float,
) -> Recovery:
    """When service was at its objective again after the fault at `fault_at`, by the module's rule,
    with `share` from 0 to 1 and `stable_for` in seconds."""
    since = [answer for answer in answers if answer.started >= fault_at]
    healing = [
        entry
        for entry in timeline
        if entry.role == "heals" and entry.ended is not None and entry.began >= fault_at
    ]
    alarm = next((entry.ended for entry in healing if entry.phase == "detect"), None)
    back_at = _back_at(since, fault_at, alarm or fault_at, share, stable_for)
    if back_at is None:
        return Recovery(None, ())
    return Recovery(back_at, _phases(since, healing, fault_at, back_at))


def _back_at(
    since: Sequence[Answer], fault_at: float, alarm: float, share: float, stable_for: float
) -> float | None:
    seconds: dict[int, tuple[int, int]] = {}
    for answer in since:
        second = math.floor(answer.started - fault_at)
        good, total = seconds.get(second, (0, 0))
        seconds[second] = (good + answer.good, total + 1)
    short = {second for second, (good, total) in seconds.items() if good < share * total}
    if not short:
        return fault_at
    window = math.ceil(stable_for)
    last = max(seconds)
    for second in range(max(min(short) + 1, math.ceil(alarm - fault_at)), last - window + 2):
        inside = range(second, second + window)
        if short.isdisjoint(inside) and not seconds.keys().isdisjoint(inside):
            return fault_at + second
    return None


def _phases(
    since: Sequence[Answer], healing: Sequence[TimelineEntry], fault_at: float, back_at: float
) -> tuple[PhaseTime, ...]:
    def end_of(phase: str, reached: float) -> float:
        ends = [
            entry.ended
            for entry in healing
            if entry.phase == phase and entry.do not in AFTERWARDS and entry.ended is not None
            if entry.began < back_at
        ]
        # Only the first alarm and the first order; actions until the last one.
        found = (max(ends) if phase == "act" else min(ends)) if ends else reached
        return min(back_at, max(reached, found))

    detected = end_of("detect", fault_at)
    decided = end_of("decide", detected)
    acted = end_of("act", decided)
    served = min((a.ended for a in since if a.good and a.ended >= acted), default=back_at)
    warm = min(back_at, max(acted, served))
    moments = (fault_at, detected, decided, acted, warm, back_at)
    names: tuple[PhaseName, ...] = ("detect", "decide", "act", "warm_up", "back")
    return tuple(
        PhaseTime(phase=name, seconds=round(until - since_, 3))
        for name, since_, until in zip(names, moments, moments[1:], strict=False)
    )
