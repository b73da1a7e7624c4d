"""Prediction against measurement: what the simulation said of the live run, and by how much off."""

from __future__ import annotations

import msgspec

from reports.numbers import Unit, significant
from reports.summary_schema import STEP_ORDER, Summary


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One metric twice: `first` is the prediction (or run A), `second` the measurement (or run B);
    None where a run does not have it. `difference` is relative to the base that the maker of the
    row says, None where it cannot be had."""

    metric: str
    unit: Unit
    first: float | None
    second: float | None
    difference: float | None


class Ranks(msgspec.Struct, frozen=True, kw_only=True):
    """Causes of failure, the most frequent first, in each clock."""

    sim: tuple[str, ...]
    live: tuple[str, ...]

    @property
    def same_order(self) -> bool:
        """Whether both clocks name the same causes in the same order."""
        return self.sim == self.live


def predict(sim: Summary, live: Summary) -> tuple[Compared, ...]:
    """Throughput, success rate, whole binding and each step: the simulation's error relative to
    what was measured live, (predicted - measured) / measured."""
    measured = dict(_metrics(live))
    predicted = dict(_metrics(sim))
    return tuple(
        Compared(
            metric=metric,
            unit=unit,
            first=predicted.get((metric, unit)),
            second=measured.get((metric, unit)),
            difference=relative(predicted.get((metric, unit)), base=measured.get((metric, unit))),
        )
        for metric, unit in _names(sim, live)
    )


def rank_causes(sim: Summary, live: Summary) -> Ranks:
    """The causes for which customers failed, by number of customers."""
    return Ranks(sim=_ranked(sim), live=_ranked(live))


def compare_metrics(a: Summary, b: Summary) -> tuple[Compared, ...]:
    """The same metrics of two runs: the difference of B relative to A, (B - A) / A."""
    first, second = dict(_metrics(a)), dict(_metrics(b))
    return tuple(
        Compared(
            metric=metric,
            unit=unit,
            first=first.get((metric, unit)),
            second=second.get((metric, unit)),
            difference=relative(second.get((metric, unit)), base=first.get((metric, unit))),
        )
        for metric, unit in _names(a, b)
    )


def relative(value: float | None, *, base: float | None) -> float | None:
    """(value - base) / base; None without both, or for a base of 0 and another value."""
    if value is None or base is None:
        return None
    if base == 0:
        return 0.0 if value == 0 else None
    return significant((value - base) / base)


def _names(*summaries: Summary) -> list[tuple[str, Unit]]:
    # In the order of the journey, whichever of the runs has a metric; what is not a step leads.
    names = dict.fromkeys(name for summary in summaries for name, _ in _metrics(summary))
    place = {step: nth for nth, step in enumerate(STEP_ORDER)}
    return sorted(names, key=lambda name: place.get(name[0].split()[0], -1))


def _metrics(summary: Summary) -> list[tuple[tuple[str, Unit], float | None]]:
    metrics: list[tuple[tuple[str, Unit], float | None]] = [
        (("throughput", "/s"), summary.throughput),
        (("success rate", "share"), summary.success_rate),
    ]
    if summary.binding:
        metrics.append((("whole binding p50", "s"), summary.binding.p50))
        metrics.append((("whole binding p95", "s"), summary.binding.p95))
    metrics += [
        ((f"recovery from {fault.label}", "s"), fault.time_to_recover) for fault in summary.faults
    ]
    for name, step in summary.ordered_steps():
        metrics.append(((f"{name} p50", "s"), step.latency.p50))
        metrics.append(((f"{name} p95", "s"), step.latency.p95))
    return metrics


def _ranked(summary: Summary) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for found in summary.causes:
        counts[found.cause] = counts.get(found.cause, 0) + found.count
    return tuple(sorted(counts, key=lambda cause: (-counts[cause], cause)))
