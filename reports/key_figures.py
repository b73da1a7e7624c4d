"""The figures that replications and variants are first looked at by."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from reports.numbers import Unit
from scenarios.schema import Scenario


class KeyFigure(msgspec.Struct, frozen=True):
    """A figure: its name for people, its path in `summary.json`, its unit, and what its absence
    means (nothing: it is not shown)."""

    name: str
    path: str
    unit: Unit
    absent: str = ""


_ALWAYS = (
    KeyFigure("Active bindings a second", "throughput", "/s"),
    KeyFigure("Success rate", "success_rate", "share"),
    KeyFigure("Whole binding, median", "binding.p50", "s"),
    KeyFigure("Whole binding, p95", "binding.p95", "s"),
    KeyFigure("Submit, p95", "steps.submit.latency.p95", "s"),
    KeyFigure("Confirm, p95", "steps.confirm.latency.p95", "s"),
    KeyFigure("Confirm, errors", "steps.confirm.error_rate", "share"),
    KeyFigure("Still under way at the end", "customers.under_way", "number"),
    KeyFigure("Bindings lost to faults by the end", "resilience.lost_bindings", "number"),
    KeyFigure("Customers lost for good", "resilience.fates.lost", "number"),
    KeyFigure("Bank calls, times the twin's", "resilience.amplification.bank", "number"),
    KeyFigure("SMS calls, times the twin's", "resilience.amplification.sms", "number"),
    KeyFigure("Payment calls, times the twin's", "resilience.amplification.payment", "number"),
)


def key_figures(scenarios: Sequence[Scenario]) -> list[KeyFigure]:
    """The figures for these scenarios: those that every run has, and the recovery from each of
    their faults."""
    labels = dict.fromkeys(
        fault.label for scenario in scenarios for fault in scenario.fault_timeline
    )
    return [
        *_ALWAYS,
        *(
            KeyFigure(
                f"Recovery from {label}", f"faults.{label}.time_to_recover", "s", "not recovered"
            )
            for label in labels
        ),
    ]
