"""Objectives held against what was measured."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from reports.summary_schema import Latency, Summary
from scenarios.contract import State
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
            return _slowest(
                w.time_to_recover for w in summary.faults if argument in (w.target, w.label)
            )
        case "time_to_detect" | "throughput_recovery" | "drain_time":
            return _against_twin(objective.metric, argument, summary)
        case "amplification":
            found = summary.resilience
            return found.amplification.get(argument) if found else None
        case "replayed":
            return summary.replay.replayed if summary.replay else None
        case "calls_per_binding":
            return _calls_per_binding(argument, summary)
        case "lost_bindings":
            return summary.resilience.lost_bindings if summary.resilience else None
        case "money_stuck":
            return summary.resilience.money_stuck_fen if summary.resilience else None
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


def _calls_per_binding(gateway: str, summary: Summary) -> float | None:
    active = summary.states.get(State.ACTIVE, 0)
    calls = sum(found.calls for found in summary.gateways if found.gateway == gateway)
    return calls / active if active else None


def _against_twin(metric: str, fault: str, summary: Summary) -> float | None:
    if summary.resilience is None:
        return None
    impacts = [f for f in summary.resilience.faults if fault in (f.target, f.label)]
    match metric:
        case "time_to_detect":
            return _slowest(impact.time_to_detect for impact in impacts)
        case "throughput_recovery":
            return _slowest(impact.time_from_end for impact in impacts)
        case _:
            return _slowest(impact.time_to_drain for impact in impacts)


def _slowest(times: Iterable[float | None]) -> float | None:
    """A target stands for all its faults: the slowest counts, and one that never came decides."""
    known = list(times)
    if not known or None in known:
        return None
    return max(time for time in known if time is not None)
