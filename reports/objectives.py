"""Objectives held against what was measured."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import msgspec

from reports.numbers import significant
from reports.summary_schema import Latency, Summary
from scenarios.contract import State
from scenarios.objectives import WHOLE, Objective, parse_objective
from scenarios.units import exact

_MOST_COUNTED = 500_000
"""Up to here six significant digits of a rate tell the count that it was made of."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """An objective, its measured value in `unit` (None: could not be measured), and whether it
    holds, which counts for nothing where it was not `judged`.

    The value has six significant digits, unless it takes more to see why the objective holds or
    does not.
    """

    text: str
    value: float | None
    unit: str
    holds: bool
    judged: bool = True

    @property
    def word(self) -> str:
        """What to call it: met, missed, or not judged."""
        if not self.judged:
            return "not judged"
        return "met" if self.holds else "missed"


def evaluate(objectives: Iterable[str], summary: Summary) -> tuple[Outcome, ...]:
    """Each objective in its order. Raises ValueError on a malformed one."""
    return tuple(_outcome(parse_objective(text), summary) for text in objectives)


def all_hold(outcomes: Iterable[Outcome]) -> bool:
    """Whether the verdict is "met": no objective is missed."""
    return all(outcome.holds for outcome in outcomes)


def _outcome(objective: Objective, summary: Summary) -> Outcome:
    return outcome_of(objective, measure(objective, summary), judged(objective, summary))


def outcome_of(
    objective: Objective, figure: float | None, value: Fraction | float | None
) -> Outcome:
    """The verdict on `value`, which `figure` is to six digits."""
    holds = objective.holds(value)
    if value is not None and objective.holds(figure) != holds:
        figure = float(value)
    return Outcome(text=objective.text, value=figure, unit=objective.unit, holds=holds)


def judged(objective: Objective, summary: Summary) -> Fraction | float | None:
    """The value that the objective is judged by: exact where the summary has the counts behind it,
    so that 20 bindings in a minute are `20/m`, else `measure`."""
    figure = measure(objective, summary)
    counts = _counts(objective, summary)
    if figure is None or counts is None or not counts[1]:
        return figure
    share = Fraction(counts[0]) / Fraction(counts[1])
    return share if significant(float(share)) == significant(figure) else figure


def _counts(objective: Objective, summary: Summary) -> tuple[int, Fraction | int] | None:
    """What was counted, and of how many or in how many seconds."""
    match objective.metric:
        case "throughput":
            bound = round(summary.throughput * summary.duration)
            return (bound, exact(summary.duration)) if bound < _MOST_COUNTED else None
        case "success_rate":
            return summary.states.get(State.ACTIVE, 0), summary.customers.ended
        case "share":
            return _ended_for(objective.argument, summary), summary.customers.ended
        case "error_rate":
            step = summary.steps.get(objective.argument)
            series = summary.series.steps.get(objective.argument)
            return (sum(series.errors), step.latency.count) if step and series else None
        case "calls_per_binding":
            return _calls_of(objective.argument, summary), summary.states.get(State.ACTIVE, 0)
    return None


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
                None if w.struck == 0 else w.time_to_recover
                for w in summary.faults
                if argument in (w.target, w.label)
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
    return significant(sum(found.share for found in summary.causes if found.cause == cause))


def _ended_for(cause: str, summary: Summary) -> int:
    return sum(found.count for found in summary.causes if found.cause == cause)


def _calls_per_binding(gateway: str, summary: Summary) -> float | None:
    """None without a call too: every binding needs some, so that nobody has seen them."""
    active = summary.states.get(State.ACTIVE, 0)
    calls = _calls_of(gateway, summary)
    return calls / active if active and calls else None


def _calls_of(gateway: str, summary: Summary) -> int:
    return sum(found.calls for found in summary.gateways if found.gateway == gateway)


def _against_twin(metric: str, fault: str, summary: Summary) -> float | None:
    if summary.resilience is None:
        return None
    idle = {window.label for window in summary.faults if window.struck == 0}
    impacts = [f for f in summary.resilience.faults if fault in (f.target, f.label)]
    if any(impact.label in idle for impact in impacts):
        return None
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
