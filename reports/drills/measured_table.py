"""Prediction against measurement of drills: a row a drill, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from reports.drills.prediction import Distribution, DrillPrediction
from reports.drills.result import DrillResult
from reports.explained import explanation, table
from reports.numbers import MISSING, Unit, shown

RESOLUTION = 0.1
"""Seconds by which RPO may be off: the moments of two clocks are compared."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Median and 90 % interval of a predicted figure, in its `unit`."""

    unit: Unit
    p5: float
    p50: float
    p95: float

    def holds(self, value: float) -> bool:
        """Whether a measured value lies in the interval."""
        slack = RESOLUTION if self.unit == "s" else 0.0
        return self.p5 - slack <= value <= self.p95 + slack


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One drill that was carried out: its run folder's name, RTO (None: not back) and RPO in
    seconds, bindings lost; `fitted` when the prediction's times were fitted to it."""

    run: str
    rto: float | None
    rpo: float
    lost: int
    fitted: bool


class MeasuredRow(msgspec.Struct, frozen=True, kw_only=True):
    """One drill of the library: what was predicted (`rto` None: no recovery), and what was
    measured, the oldest first. `calibration` says where the prediction's times are from."""

    drill: str
    topology: str
    drills: int
    recovered: float
    rto: Span | None
    rpo: Span
    lost: Span
    calibration: str
    measured: tuple[Measured, ...]

    def outside(self) -> int:
        """How many measured drills have a figure outside its interval."""
        return sum(any(not inside for inside in _inside(self, each)) for each in self.measured)


def measured_row(
    predicted: DrillPrediction, results: Mapping[str, DrillResult], fitted: Iterable[str]
) -> MeasuredRow:
    """The row of a drill; `results` are its own, by the name of their run folders, `fitted` the
    names of those that the calibration was fitted to."""
    known = frozenset(fitted)
    return MeasuredRow(
        drill=predicted.scenario,
        topology=predicted.topology,
        drills=predicted.drills,
        recovered=predicted.recovered.share,
        rto=None if predicted.rto is None else _span(predicted.rto),
        rpo=_span(predicted.rpo),
        lost=_span(predicted.lost),
        calibration=predicted.calibration,
        measured=tuple(
            Measured(
                run=name,
                rto=result.rto,
                rpo=result.rpo,
                lost=0 if result.proof is None else result.proof.lost_bindings,
                fitted=name in known,
            )
            for name, result in results.items()
        ),
    )


def measured_page(rows: Sequence[MeasuredRow], notes: Mapping[str, str]) -> str:
    """The whole document; `notes` explain drills by name, and show where something is outside."""
    runs = [each for row in rows for each in row.measured]
    outside = sum(row.outside() for row in rows)
    verdict = (
        f"{len(runs) - outside} of {len(runs)} measured drills are inside in all three figures;"
        f" {sum(not row.measured for row in rows)} of {len(rows)} drills were not measured."
    )
    fitted = sum(each.fitted for each in runs)
    if fitted:
        verdict += (
            f" For the {fitted} marked °, the times of the actions were fitted to these very runs:"
            " they test how the parts are put together, not the parts."
        )
    calibrations = "; ".join(dict.fromkeys(row.calibration for row in rows))
    return _PAGE.format(
        verdict=verdict,
        table=table(_HEADINGS, [_cells(row, notes) for row in rows]),
        calibrations=calibrations,
        drills=f"{max((row.drills for row in rows), default=0):,}",
        resolution=shown(RESOLUTION, "s"),
    )


_PAGE = """\
# Drills: prediction against measurement

Made by `bindrill drill --table`; do not edit. Times of actions: {calibrations}.

Each drill of the library was simulated {drills} times, at the time that is written in it, and
carried out on real databases. A prediction is its median and, in brackets, its 90 % interval, which
one measured value in ten is expected to miss. A measured value outside it stands bold; RPO may be
off by {resolution}. [Drills in virtual time](drill-prediction.md) says what is modelled.

{verdict}

{table}
"""

_HEADINGS = (
    "drill",
    "topology",
    "RTO predicted",
    "RTO measured",
    "RPO predicted",
    "RPO measured",
    "bindings lost, predicted",
    "measured",
    "explanation",
)


def _cells(row: MeasuredRow, notes: Mapping[str, str]) -> list[str]:
    marks = ["°" if each.fitted else "" for each in row.measured]
    figures = [
        [_value(each.rto, "s"), _value(each.rpo, "s"), _value(each.lost, "count")]
        for each in row.measured
    ]
    columns: list[str] = []
    for place in range(3):
        columns.append(
            ", ".join(
                f"{values[place]}{mark}"
                if _inside(row, each)[place]
                else f"**{values[place]}**{mark}"
                for each, values, mark in zip(row.measured, figures, marks, strict=True)
            )
            or MISSING
        )
    return [
        row.drill,
        row.topology,
        _predicted(row.rto),
        columns[0],
        _predicted(row.rpo),
        columns[1],
        _predicted(row.lost),
        columns[2],
        explanation(row.drill, notes) if row.outside() else "",
    ]


def _inside(row: MeasuredRow, measured: Measured) -> tuple[bool, bool, bool]:
    back = measured.rto is None if row.rto is None else _holds(row.rto, measured.rto)
    return back, row.rpo.holds(measured.rpo), row.lost.holds(measured.lost)


def _holds(span: Span, value: float | None) -> bool:
    return value is not None and span.holds(value)


def _span(found: Distribution) -> Span:
    return Span(unit=found.unit, p5=found.p5, p50=found.p50, p95=found.p95)


def _predicted(span: Span | None) -> str:
    if span is None:
        return "not back"
    median, low, high = (shown(value, span.unit) for value in (span.p50, span.p5, span.p95))
    return f"{median} ({low} to {high})"


def _value(value: float | None, unit: Unit) -> str:
    return "not back" if value is None else shown(value, unit)
