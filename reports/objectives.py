"""Objectives held against what was measured."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from reports.summary_schema import Latency, Summary
from scenarios.objectives import WHOLE, Objective, parse_objective


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """An objective, its measured value in `unit` (None: could not be measured), and the verdict."""

    text: str
    value: float | None
    unit: str
    holds: bool


def evaluate(objectives: Iterable[str], summary: Summary) -> tuple[Outcome, ...]:
    """Each objective in its order. Raises ValueError on a malformed one."""
    return tuple(_outcome(parse_objective(text), summary) for text in objectives)


def all_hold(outcomes: Iterable[Outcome]) -> bool:
    """Whether the verdict is "met": no objective is missed."""
    return all(outcome.holds for outcome in outcomes)


def _outcome(objective: Objective, summary: Summary) -> Outcome:
    value = measure(objective, summary)
    return Outcome(
        text=objective.text,
        value=value,
        unit=objective.unit,
        holds=objective.holds(value),
    )


def measure(objective: Objective, summary: Summary) -> float | None:
    """The value that the objective is about; None when the run does not have it."""
    argument = objective.argument
    match objective.metric:
        case "throughput":
            return summary.throughput
        case "success_rate":
            return summary.success_rate
        case "error_rate":
            step = summary.steps.get(argument)
            return step.error_rate if step else None
        case "share":
            return _share(argument, summary)
        case "time_to_recover":
            return _time_to_recover(argument, summary)
        case percentile:
            latency = _latency(argument, summary)
            value: float | None = getattr(latency, percentile) if latency else None
            return value


def _latency(of: str, summary: Summary) -> Latency | None:
    if of == WHOLE:
        return summary.binding
    step = summary.steps.get(of)
    return step.latency if step else None


def _share(cause: str, summary: Summary) -> float | None:
    if not summary.customers.ended:
        return None
    return sum(found.share for found in summary.causes if found.cause == cause)


def _time_to_recover(fault: str, summary: Summary) -> float | None:
    # A target stands for all its faults: the slowest recovery counts.
    times = [w.time_to_recover for w in summary.faults if fault in (w.target, w.label)]
    if not times or None in times:
        return None
    return max(time for time in times if time is not None)
