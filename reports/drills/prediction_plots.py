"""The figures of a prediction: distributions of RTO, of its parts, and of what is lost."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports.drills.prediction import Distribution, DrillPrediction
from reports.figure import FAULT, FIRST, INK, OFFERED, SECOND, nothing, style, svg
from reports.numbers import Unit, shown
from reports.page import drawing
from reports.plots import HALF, WIDE, Plot
from scenarios.units import format_duration

_NAMES = {
    "detect": "detect",
    "decide": "decide",
    "act": "act",
    "warm_up": "warm up",
    "back": "back at objective",
}


def prediction_plots(found: DrillPrediction) -> list[Plot]:
    """All figures, in the order of the page."""
    bounds = {each.objective: each.bound for each in found.chances}
    return [
        Plot(
            title="Time to recovery (RTO)",
            caption="Bars: share of the drills. Line: chance that service is back within the time."
            " Shaded: from the 5th to the 95th percentile. Dashed: the objective.",
            svg=drawing(_times(found, bounds.get("RTO"))),
        ),
        Plot(
            title="Where the time goes",
            caption="Each part of the time to recovery: median (dot), 5th to 95th percentile"
            " (bar) and 99th percentile (tick).",
            svg=drawing(_phases(found)),
        ),
        Plot(
            title="Work lost, in time (RPO)",
            caption="Age of the oldest lost acknowledgement at the fault.",
            svg=drawing(_loss(found.rpo, "rpo", bounds.get("RPO"))),
            wide=False,
        ),
        Plot(
            title="Work lost, in bindings",
            caption="Bindings whose last acknowledged state is lost.",
            svg=drawing(_loss(found.lost, "lost", bounds.get("bindings lost"))),
            wide=False,
        ),
    ]


def _times(found: DrillPrediction, bound: float | None) -> str:
    with style():
        figure = Figure(figsize=(WIDE, 3.6), layout="constrained")
        axes = figure.subplots()
        if found.rto is None:
            nothing(axes, "service never comes back to its objective")
        else:
            _histogram(axes, found.rto, bound)
            within = axes.twinx()
            total = np.cumsum(found.rto.counts) / found.drills * 100
            edges, shares = [found.rto.edges[0], *found.rto.edges[1:]], [0.0, *total]
            within.plot(edges, shares, color=SECOND)
            within.set(ylim=(0, 101), ylabel="back within, % of drills")
            within.grid(visible=False)
            within.spines["right"].set_visible(True)
            axes.set_xlabel("time from the fault to service at its objective")
        return svg(figure, "rto", "Distribution of the time to recovery")


def _phases(found: DrillPrediction) -> str:
    with style():
        figure = Figure(figsize=(WIDE, 2.6), layout="constrained")
        axes = figure.subplots()
        if not found.phases:
            nothing(axes, "service never comes back to its objective")
        for place, each in enumerate(found.phases):
            seconds = each.seconds
            axes.plot((seconds.p5, seconds.p95), (place, place), color=FIRST, lw=7, alpha=0.45)
            axes.plot(seconds.p50, place, "o", color=FIRST)
            axes.plot(seconds.p99, place, "|", color=INK, ms=10)
        if found.phases:
            axes.set_yticks(range(len(found.phases)), [_NAMES[each.phase] for each in found.phases])
            axes.invert_yaxis()
            axes.set_xlim(left=0)
            axes.grid(visible=False, axis="y")
            _durations(axes)
        return svg(figure, "phases", "Parts of the time to recovery")


def _loss(found: Distribution, name: str, bound: float | None) -> str:
    with style():
        figure = Figure(figsize=(HALF, 3.0), layout="constrained")
        axes = figure.subplots()
        _histogram(axes, found, bound)
        axes.set_xlabel("bindings" if found.unit == "count" else "time before the fault")
        return svg(figure, name, "Distribution of what is lost")


def _histogram(axes: Axes, found: Distribution, bound: float | None) -> None:
    edges = np.array(found.edges)
    share = np.array(found.counts) / sum(found.counts) * 100
    if edges[0] == edges[-1]:
        # All drills alike: a bar of some width, at its place.
        width = 0.02 * max(abs(edges[0]), 1.0)
        axes.bar(edges[0], share, width=width, color=FIRST)
        axes.set_xlim(edges[0] - 10 * width, edges[0] + 20 * width)
    else:
        axes.axvspan(found.p5, found.p95, color=OFFERED, alpha=0.15, lw=0)
        axes.bar(edges[:-1], share, width=np.diff(edges), align="edge", color=FIRST, alpha=0.8)
    if bound is not None:
        _objective(axes, bound, float(edges[0]), float(edges[-1]), found.unit)
    axes.set_ylabel("% of drills")
    axes.set_ylim(bottom=0)
    if found.unit == "s":
        _durations(axes)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _objective(axes: Axes, bound: float, low: float, high: float, unit: Unit) -> None:
    """A line, or where it would squeeze the bars to nothing, a word on where it would be."""
    reach = 2 * (high - low) if high > low else 2 * max(abs(high), 1.0)
    if low - reach <= bound <= high + reach:
        axes.axvline(bound, color=FAULT, ls="--", lw=1.6)
        return
    left = bound < low
    text = f"objective {shown(bound, unit)}"
    axes.text(
        0.01 if left else 0.99,
        1.01,
        f"← {text}" if left else f"{text} →",
        ha="left" if left else "right",
        va="bottom",
        transform=axes.transAxes,
        color=INK,
    )


def _durations(axes: Axes) -> None:
    # Steps that are whole in seconds, minutes and hours.
    axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 1.5, 3, 6, 10]))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda seconds, _: format_duration(seconds) if seconds >= 0 else "")
    )
