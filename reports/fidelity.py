"""How far to trust the simulator: a row a scenario, prediction beside measurement, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from reports.explained import explanation, table
from reports.join import Agreement
from reports.numbers import MISSING, Unit, shown, shown_error
from reports.prediction import relative
from reports.summary_schema import FaultWindow, Summary

LIMIT = 0.2
"""The relative error beyond which a figure wants an explanation."""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of both clocks; None where a clock does not have it, in which case `absent` is
    shown. Differences of up to `resolution` are below what the figure can tell."""

    predicted: float | None
    measured: float | None
    unit: Unit
    absent: str = MISSING
    resolution: float = 0.0

    @property
    def error(self) -> float | None:
        """(predicted - measured) / measured; None where it cannot be had."""
        return relative(self.predicted, base=self.measured)

    @property
    def off(self) -> bool:
        """Whether the error is beyond LIMIT, or one clock alone has the figure."""
        if self.predicted is None or self.measured is None:
            return self.predicted is not self.measured
        if abs(self.predicted - self.measured) <= self.resolution:
            return False
        return self.error is None or abs(self.error) > LIMIT


class FidelityRow(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario in both clocks. `customers` were joined, and `agreement` is the share of them
    who ended alike (None of nobody); `recovery` is None without a fault that ends. `measured` says
    where, when and with which calibration."""

    scenario: str
    variant: str
    measured: str
    customers: int
    agreement: float | None
    throughput: Pair
    success: Pair
    binding: Pair
    confirm: Pair
    recovery: Pair | None

    @property
    def off(self) -> bool:
        """Whether any figure is beyond LIMIT."""
        return self.disagrees or any(pair.off for pair in self.pairs)

    @property
    def disagrees(self) -> bool:
        """Whether more than LIMIT of the customers ended differently."""
        return self.agreement is None or self.agreement < 1 - LIMIT

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """All figures with a prediction."""
        found = (self.throughput, self.success, self.binding, self.confirm, self.recovery)
        return tuple(pair for pair in found if pair is not None)


def fidelity_row(
    scenario: str,
    variant: str,
    sim: Summary,
    live: Summary,
    agreement: Agreement,
    *,
    measured: str,
) -> FidelityRow:
    """The row of a scenario, of which `variant` was played (empty: it has none)."""
    return FidelityRow(
        scenario=scenario,
        variant=variant,
        measured=measured,
        customers=agreement.joined,
        agreement=agreement.share,
        throughput=Pair(predicted=sim.throughput, measured=live.throughput, unit="/s"),
        success=Pair(predicted=sim.success_rate, measured=live.success_rate, unit="share"),
        binding=Pair(
            predicted=sim.binding.p95 if sim.binding else None,
            measured=live.binding.p95 if live.binding else None,
            unit="s",
        ),
        confirm=Pair(predicted=_confirm(sim), measured=_confirm(live), unit="s"),
        recovery=_recovery(sim.faults, live.faults),
    )


def fidelity_table(rows: Iterable[FidelityRow], notes: Mapping[str, str]) -> str:
    """The Markdown table; `notes` explain scenarios by name, and what is off stands bold.

    A note of a scenario with nothing off is not shown: it explains what is no more.
    """
    return table(_HEADINGS, [_cells(row, notes) for row in rows])


def fidelity_page(rows: Sequence[FidelityRow], notes: Mapping[str, str]) -> str:
    """The whole document."""
    off = sum(row.off for row in rows)
    verdict = (
        f"All {len(rows)} scenarios are within {LIMIT:.0%} in every figure."
        if not off
        else f"{off} of {len(rows)} scenarios are off by more than {LIMIT:.0%} in a figure (bold)."
    )
    return _PAGE.format(
        measured="; ".join(dict.fromkeys(row.measured for row in rows)),
        limit=f"{LIMIT:.0%}",
        verdict=verdict,
        table=fidelity_table(rows, notes),
    )


_PAGE = """\
# Prediction against measurement

Made by `bindrill fidelity`; do not edit. Measured on {measured}.

Each scenario was simulated, then played live, with the same customers. A cell is the prediction,
the measurement, and the error of the prediction: (predicted - measured) / measured. *Ended alike*
is the share of the customers that ended in both clocks who did so in the same state for the same
cause. *Recovery* is the slowest time to recover of all faults that end; a difference of one window
of its measurement is not an error. [Results of a run](reports.md) defines the figures.

{verdict}

{table}
"""

_HEADINGS = (
    "scenario",
    "customers",
    "ended alike",
    "throughput",
    "success rate",
    "whole binding p95",
    "confirm p95",
    "recovery",
    "explanation",
)


def _cells(row: FidelityRow, notes: Mapping[str, str]) -> list[str]:
    name = f"{row.scenario} ({row.variant})" if row.variant else row.scenario
    alike = shown(row.agreement, "share")
    return [
        name,
        f"{row.customers:,}",
        _bold(alike) if row.disagrees else alike,
        *(_cell(pair) for pair in (row.throughput, row.success, row.binding, row.confirm)),
        _cell(row.recovery) if row.recovery else MISSING,
        explanation(row.scenario, notes) if row.off else "",
    ]


def _cell(pair: Pair) -> str:
    predicted, measured = (
        pair.absent if value is None else shown(value, pair.unit)
        for value in (pair.predicted, pair.measured)
    )
    text = f"{predicted} / {measured}"
    if pair.error is not None:
        text += f" ({shown_error(pair.error)})"
    return _bold(text) if pair.off else text


def _bold(text: str) -> str:
    return f"**{text}**"


def _confirm(summary: Summary) -> float | None:
    step = summary.steps.get("confirm")
    return step.latency.p95 if step else None


def _recovery(sim: Sequence[FaultWindow], live: Sequence[FaultWindow]) -> Pair | None:
    """The slowest of the faults that end; a clock that did not recover from one has no value."""
    ending = [[fault for fault in faults if fault.end is not None] for faults in (sim, live)]
    if not all(ending):
        return None
    predicted, measured = (_slowest(faults) for faults in ending)
    return Pair(
        predicted=predicted,
        measured=measured,
        unit="s",
        absent="not recovered",
        resolution=max(fault.resolution for faults in ending for fault in faults),
    )


def _slowest(faults: Sequence[FaultWindow]) -> float | None:
    times = [fault.time_to_recover for fault in faults]
    known = [time for time in times if time is not None]
    return max(known) if len(known) == len(times) else None
