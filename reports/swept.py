"""What a sweep found: a measure of every point of its grid, as a table and as files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec
import polars as pl

from reports.numbers import Unit, shown
from reports.objectives import measure
from reports.stability import recovers, slowest_recovery
from reports.summary_schema import Summary
from reports.text_table import aligned
from scenarios.objectives import METRICS, parse_objective
from scenarios.varied import Dimension

Value = bool | float | None


class Measure(msgspec.Struct, frozen=True):
    """What is measured: its text, its unit (`yes` for recovers or not), and how."""

    text: str
    unit: Unit | Literal["yes"]
    of: Callable[[Summary], Value]

    def shown(self, value: Value) -> str:
        """A value for people."""
        if self.unit == "yes":
            return "unclear" if value is None else "recovers" if value else "does not"
        return shown(value, self.unit)


class Point(msgspec.Struct, frozen=True):
    """One simulated point of the grid: the position of its value in each dimension."""

    at: tuple[int, ...]
    summary: Summary


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """A sweep: one or two dimensions, the points that were simulated, and the measure."""

    dimensions: tuple[Dimension, ...]
    points: tuple[Point, ...]
    measure: Measure

    @property
    def rows(self) -> list[list[Value]]:
        """The measure by value of the second dimension (one row without), then of the first; None
        where it has no value or was not simulated."""
        found = {point.at: self.measure.of(point.summary) for point in self.points}
        width = len(self.dimensions[0].values)
        if len(self.dimensions) == 1:
            return [[found.get((x,)) for x in range(width)]]
        height = len(self.dimensions[1].values)
        return [[found.get((x, y)) for x in range(width)] for y in range(height)]

    @property
    def idle(self) -> tuple[str, ...]:
        """Paths whose values all come out the same, whatever the other dimension's value is."""
        return tuple(
            dimension.path for nth, dimension in enumerate(self.dimensions) if self._is_idle(nth)
        )

    def _is_idle(self, nth: int) -> bool:
        alike: dict[tuple[int, ...], list[Summary]] = {}
        for point in self.points:
            # What a fault did is in the customers' figures; its own window moves by itself.
            came_out = msgspec.structs.replace(point.summary, faults=())
            alike.setdefault((*point.at[:nth], *point.at[nth + 1 :]), []).append(came_out)
        compared = [found for found in alike.values() if len(found) > 1]
        return bool(compared) and all(each == found[0] for found in compared for each in found[1:])

    def table(self) -> pl.DataFrame:
        """A row a point, in the order of the grid (the last dimension changes fastest): the values
        (seconds, per second, shares, or text), the measure, and the usual figures."""
        return pl.DataFrame([self._record(point) for point in self.points])

    def lines(self) -> list[str]:
        """The measure as a table in text: the first dimension across, the second down."""
        first, *more = self.dimensions
        cells = [[self.measure.shown(value) for value in row] for row in self.rows]
        if not more:
            return aligned(
                [[first.path, self.measure.text], *zip(first.labels, cells[0], strict=True)]
            )
        corner = f"{more[0].path} \\ {first.path}"
        # The highest on top, as on the map.
        rows = [[label, *row] for label, row in zip(more[0].labels, cells, strict=True)]
        return aligned([[corner, *first.labels], *reversed(rows)])

    def _record(self, point: Point) -> dict[str, Any]:
        summary = point.summary
        record: dict[str, Any] = {
            dimension.path: dimension.numbers[n] if dimension.numbers else dimension.labels[n]
            for dimension, n in zip(self.dimensions, point.at, strict=True)
        }
        figures = {
            self.measure.text: self.measure.of(summary),
            "recovers": recovers(summary),
            "time_to_recover": slowest_recovery(summary),
            "throughput": summary.throughput,
            "success_rate": summary.success_rate,
            "p95(binding)": summary.binding.p95 if summary.binding else None,
        }
        return record | figures


def measure_named(text: str) -> Measure:
    """`recovers`, `time_to_recover` (of all faults), or a metric of objectives, such as
    `p95(confirm)`. Raises ValueError, with what to write instead."""
    text = text.strip()
    if text == "recovers":
        return Measure(text, "yes", recovers)
    if text == "time_to_recover":
        return Measure(text, "s", slowest_recovery)
    name = text.split("(")[0].strip()
    if name not in METRICS:
        known = ", ".join(("recovers", *METRICS))
        raise ValueError(f"there is no measure {name!r}; write one of {known}")
    unit = METRICS[name].unit
    # Objectives say how a metric is written; this one is always met.
    objective = parse_objective(f"{text} >= {_ZERO.get(unit, '0')}")
    return Measure(text, objective.unit, lambda summary: measure(objective, summary))


_ZERO: dict[str, str] = {"s": "0s", "share": "0%", "/s": "0/s"}
