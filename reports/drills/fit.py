"""Times of actions, fitted to the timelines of measured drills.

A time is log-normal. Its median is that of the measured ones. Few drills say little about spread,
so the shipped spread counts as PRIOR more of them, and since the median itself is not known
exactly, the spread is that of a new drill: the variance of the logarithm is

    (PRIOR * s0**2 + sum((ln x - mean)**2)) / (PRIOR + n - 1) * (1 + 1 / n).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from reports.drills.phases import AFTERWARDS
from reports.drills.result import DrillResult, TimelineEntry
from reports.numbers import significant
from scenarios.distributions import Z99, Delay, lognormal
from scenarios.drill_calibration import ACTIONS, DrillCalibration, action_name

PRIOR = 2
"""So many measured drills the shipped spread is worth."""
_OF_THE_SCENARIO = "switch-traffic"
"""A step that lasts as long as the topology's TTL says."""
_LEAST = 0.001
"""Seconds below which times are not told apart."""
_SPREAD = 0.5
"""Standard deviation of the logarithm where the prior is a constant: 99 % are within a factor of
3.2 of the median."""


def fit(
    drills: Mapping[str, DrillResult],
    checks: Sequence[float],
    prior: DrillCalibration,
    measured: str,
) -> DrillCalibration:
    """`prior` with the times that `drills` (by the name of their run folders) have measured:
    actions, and warm-up; and the health checks that passed, in seconds. `measured` says where and
    when, for people."""
    times: dict[str, list[float]] = {}
    warm_ups = []
    for result in drills.values():
        for entry in result.timeline:
            name = action_name(entry.do, entry.target)
            if name in ACTIONS and name != _OF_THE_SCENARIO and entry.ended is not None:
                times.setdefault(name, []).append(entry.ended - entry.began)
        if result.rto:
            phases = {each.phase: each.seconds for each in result.phases}
            if _waited_for(result.timeline):
                warm_ups.append(phases["warm_up"])
    actions = {
        **prior.actions,
        **{name: fitted(values, prior.actions.get(name)) for name, values in sorted(times.items())},
    }
    return prior.model_copy(
        update={
            "measured": measured,
            "runs": tuple(drills),
            "actions": actions,
            "warm_up": fitted(warm_ups, prior.warm_up) if warm_ups else prior.warm_up,
            "check": fitted(checks, prior.check) if checks else prior.check,
        }
    )


def fitted(seconds: Sequence[float], prior: Delay | None) -> Delay:
    """The distribution of a time of which `seconds` (at least one) were measured."""
    logs = [math.log(max(each, _LEAST)) for each in seconds]
    count, mean = len(logs), math.fsum(logs) / len(logs)
    spread = _SPREAD
    if prior is not None and prior.p99 > prior.p50 > 0:
        spread = math.log(prior.p99 / prior.p50) / Z99
    squares = PRIOR * spread**2 + math.fsum((each - mean) ** 2 for each in logs)
    deviation = math.sqrt(squares / (PRIOR + count - 1) * (1 + 1 / count))
    return lognormal(
        significant(math.exp(mean), 4), significant(math.exp(mean + Z99 * deviation), 4)
    )


def _waited_for(timeline: Sequence[TimelineEntry]) -> bool:
    """Whether the last action was one that service waits for."""
    acts = [each for each in timeline if each.role == "heals" and each.phase == "act"]
    return bool(acts) and acts[-1].do not in AFTERWARDS
