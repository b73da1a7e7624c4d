"""Two runs beside each other: what changed from A to B."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from reports import plots
from reports.figure import FIRST, SECOND
from reports.numbers import shown, shown_error
from reports.page import drawing, render
from reports.plots import Line
from reports.prediction import Compared, compare_metrics
from reports.run_folder import CLOCKS, Clock, RunFolder, RunProblem
from reports.summary_schema import Summary
from reports.text_table import aligned
from reports.verdict import CLOCK_NAMES, said, summary_of
from scenarios.whole_file import write_whole


class ComparedClock(msgspec.Struct, frozen=True, kw_only=True):
    """One clock that both runs were played in; differences are (B - A) / A."""

    clock: Clock
    a: Summary
    b: Summary
    rows: tuple[Compared, ...]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Runs A and B in the clocks that they share."""

    run_a: RunFolder
    run_b: RunFolder
    clocks: tuple[ComparedClock, ...]

    @property
    def empty(self) -> tuple[RunFolder, ...]:
        """Those of both runs in which no customer ended, in a clock that is compared."""
        return tuple(
            run
            for run, sides in (
                (self.run_a, [clock.a for clock in self.clocks]),
                (self.run_b, [clock.b for clock in self.clocks]),
            )
            if not all(summary.customers.ended for summary in sides)
        )

    def lines(self) -> list[str]:
        """Text for the command line: a table for each clock."""
        lines = [f"A: {self.run_a.path}", f"B: {self.run_b.path}"]
        for clock in self.clocks:
            lines += ["", CLOCK_NAMES[clock.clock], *self._limited(clock.clock)]
            lines += aligned([*_cells(clock)])
        return lines

    def _limited(self, clock: Clock) -> list[str]:
        """A line for each run whose figures show the testbed rather than the system."""
        return [
            f"{letter}: {said(run, clock)}"
            for letter, run in (("A", self.run_a), ("B", self.run_b))
            if run.record.clocks[clock].limits
        ]


def compare(run_a: RunFolder, run_b: RunFolder) -> Comparison:
    """Compare two runs. Raises RunProblem when they share no clock."""
    shared = [clock for clock in CLOCKS if clock in run_a.clocks and clock in run_b.clocks]
    if not shared:
        raise RunProblem(f"{run_a.path} and {run_b.path} have no clock in common")
    clocks: list[ComparedClock] = []
    for clock in shared:
        a, b = summary_of(run_a, clock), summary_of(run_b, clock)
        clocks.append(ComparedClock(clock=clock, a=a, b=b, rows=compare_metrics(a, b)))
    return Comparison(run_a=run_a, run_b=run_b, clocks=tuple(clocks))


def write_comparison(comparison: Comparison) -> Path:
    """Write `compare.html` into run B's folder."""
    page = render(
        "compare.html.j2",
        runs=[
            {
                "letter": letter,
                "run": run,
                "said": [(CLOCK_NAMES[clock], said(run, clock)) for clock in run.clocks],
                "colour": colour,
            }
            for letter, run, colour in (
                ("A", comparison.run_a, "first"),
                ("B", comparison.run_b, "second"),
            )
        ],
        clocks=[
            {"name": CLOCK_NAMES[clock.clock], "rows": clock.rows, "plots": _plots(clock)}
            for clock in comparison.clocks
        ],
    )
    path = comparison.run_b.path / "compare.html"
    write_whole(path, page.encode())
    return path


def _cells(clock: ComparedClock) -> Iterator[tuple[str, ...]]:
    yield ("metric", "A", "B", "difference")
    for row in clock.rows:
        yield (
            row.metric,
            shown(row.first, row.unit),
            shown(row.second, row.unit),
            shown_error(row.difference),
        )


def _plots(clock: ComparedClock) -> list[plots.Plot]:
    lines = [Line("A", FIRST, clock.a), Line("B", SECOND, clock.b)]
    return [
        plots.Plot(
            title="Throughput over time",
            caption="Bindings that became ACTIVE per second. Shaded: faults of run A.",
            svg=drawing(plots.throughput(lines, f"{clock.clock}-throughput")),
        ),
        plots.Plot(
            title="Latency distribution",
            caption="The share of requests that took longer than the time below.",
            svg=drawing(plots.latency_distribution(lines, f"{clock.clock}-distribution")),
        ),
        plots.Plot(
            title="Funnel",
            caption="Customers who reached each step or a later one.",
            svg=drawing(plots.funnel(lines, f"{clock.clock}-funnel")),
            wide=False,
        ),
        plots.Plot(
            title="Failed customers by cause",
            caption="Of all customers who ended.",
            svg=drawing(plots.causes(lines, f"{clock.clock}-causes")),
            wide=False,
        ),
        plots.Plot(
            title="Differences",
            caption="B against A for each metric. Grey: within 10 %.",
            svg=drawing(
                plots.differences(clock.rows, "(B − A) / A", SECOND, f"{clock.clock}-differences")
            ),
            wide=False,
        ),
    ]
