"""The figures of a report. Each takes one or more lines (a clock, or a run) and gives an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from reports.figure import (
    FAULT,
    INK,
    OFFERED,
    RULE,
    log_seconds,
    nothing,
    style,
    svg,
    time_axis,
)
from reports.numbers import shown, shown_error
from reports.prediction import Compared
from reports.summary_schema import LEVELS, STEP_ORDER, FaultWindow, Latency, Summary

WIDE = 10.2
HALF = 5.6
_MOST_CAUSES = 10
_ERROR_SHOWN = 1.0
_WEIGHTS = (2.4, 1.2)
"""Widths of the first and second line, so that both are seen where they agree."""


class Line(msgspec.Struct, frozen=True):
    """Something to draw: its name in legends, its colour, its numbers."""

    name: str
    colour: str
    summary: Summary


class Plot(msgspec.Struct, frozen=True, kw_only=True):
    """One figure with its heading and the sentence that says how to read it."""

    title: str
    caption: str
    svg: Markup
    wide: bool = True


def throughput(lines: Sequence[Line], name: str = "throughput") -> str:
    """Bindings that became ACTIVE over time, with the offered arrivals and the fault windows."""
    with style():
        figure = Figure(figsize=(WIDE, 3.7), layout="constrained")
        axes = figure.subplots()
        until = _until(lines)
        unit, label = time_axis(until)
        offered = max(lines, key=lambda line: sum(line.summary.series.offered)).summary.series
        _steps(axes, offered.offered, offered.width, unit, OFFERED, "arrivals offered", "--")
        weights = _WEIGHTS if len(lines) <= len(_WEIGHTS) else [_WEIGHTS[1]] * len(lines)
        for line, weight in zip(lines, weights, strict=False):
            series = line.summary.series
            legend = f"bindings, {line.name}"
            _steps(axes, series.active, series.width, unit, line.colour, legend, "-", weight)
        axes.set(xlim=(0, until / unit), xlabel=label, ylabel="per second")
        axes.set_ylim(bottom=0)
        _shade(axes, lines[0].summary.faults, until, unit, labelled=True)
        figure.legend(loc="outside lower center", ncols=4)
        return svg(figure, name, "Throughput over time")


def latency_over_time(line: Line, among: Sequence[Line], name: str) -> str:
    """Latency percentiles of each step over time; axes are the same for all lines `among`."""
    with style():
        steps = _step_names(among)
        figure, panels = _panels(len(steps), share=True)
        until = _until(among)
        unit, label = time_axis(until)
        low, high = _latency_limits(among)
        for axes, step in zip(panels, steps, strict=False):
            axes.set_title(step)
            log_seconds(axes, "y", low, high)
            axes.set_xlim(0, until / unit)
            _shade(axes, line.summary.faults, until, unit)
            series = line.summary.series.steps.get(step)
            if series is None:
                continue
            at = (np.arange(len(series.count)) + 0.5) * line.summary.series.width / unit
            for percentile, look, alpha in (
                ("p99", ":", 0.75),
                ("p95", "--", 0.9),
                ("p50", "-", 1.0),
            ):
                values = np.array(getattr(series, percentile), dtype=float).clip(low)
                axes.plot(
                    at,
                    values,
                    look,
                    color=line.colour,
                    alpha=alpha,
                    lw=1.2,
                    label=percentile if axes is panels[0] else None,
                )
                lone = alone(values)
                axes.plot(at[lone], values[lone], ".", color=line.colour, ms=3)
        if panels:
            figure.supxlabel(label, fontsize=9)
            figure.supylabel("latency", fontsize=9)
        _legend(figure, panels, "outside upper right")
        return svg(figure, name, f"Latency percentiles over time, {line.name}")


def latency_distribution(lines: Sequence[Line], name: str = "distribution") -> str:
    """The share of requests that took longer, by step and for whole bindings."""
    with style():
        steps = _step_names(lines)
        bound = any(line.summary.binding for line in lines)
        names = [*steps, "whole binding"] if bound else steps
        figure, panels = _panels(len(names))
        low, high = _latency_limits(lines)
        for axes, step in zip(panels, names, strict=False):
            axes.set_title(step)
            whole = step == "whole binding"
            log_seconds(axes, "x", *(_whole_limits(lines) if whole else (low, high)))
            axes.set(yscale="log", ylim=(1e-4, 1.3))
            axes.yaxis.set_minor_locator(NullLocator())
            axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share * 100:g} %"))
            for line, weight in zip(lines, _WEIGHTS, strict=False):
                latency = _latency(line.summary, "" if whole else step)
                if latency is None:
                    continue
                axes.plot(
                    *_tail(latency, low),
                    lw=weight,
                    color=line.colour,
                    label=line.name if axes is panels[0] else None,
                )
        if panels:
            figure.supylabel("share that took longer", fontsize=9)
            figure.supxlabel("latency", fontsize=9)
        _legend(figure, panels, "outside upper right")
        return svg(figure, name, "Latency distribution by step")


def funnel(lines: Sequence[Line], name: str = "funnel") -> str:
    """Customers who reached each step, of all that arrived."""
    with style():
        figure = Figure(figsize=(HALF, 4.4), layout="constrained")
        axes = figure.subplots()
        stages = [stage.step for stage in lines[0].summary.funnel]
        names = [*stages, "ACTIVE"]
        bars = [
            (line, [(count, _of(count, line.summary.customers.issued)) for count in _stages(line)])
            for line in lines
        ]
        _bars(axes, names, bars)
        axes.set(xlim=(0, 1.32), xlabel="share of arrivals that reached the step")
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
        _legend(figure, [axes])
        return svg(figure, name, "Funnel: customers who reached each step")


def causes(lines: Sequence[Line], name: str = "causes") -> str:
    """Why customers did not become ACTIVE, the most frequent causes of any line."""
    with style():
        counts = [_by_cause(line.summary) for line in lines]
        shares = [
            {cause: _of(count, line.summary.customers.ended) for cause, count in found.items()}
            for line, found in zip(lines, counts, strict=True)
        ]
        weight = {
            cause: max(found.get(cause, 0.0) for found in shares)
            for cause in {cause for found in shares for cause in found}
        }
        names = sorted(weight, key=lambda cause: (-weight[cause], cause))[:_MOST_CAUSES]
        figure = Figure(figsize=(HALF, max(2.4, 1.3 + 0.34 * len(names))), layout="constrained")
        axes = figure.subplots()
        if not names:
            nothing(axes, "no customer failed")
            return svg(figure, name, "Failed customers by cause")
        bars = [
            (line, [(found.get(cause, 0), share.get(cause, 0.0)) for cause in names])
            for line, found, share in zip(lines, counts, shares, strict=True)
        ]
        _bars(axes, names, bars)
        axes.set(xlim=(0, weight[names[0]] * 1.4), xlabel="share of customers who ended")
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share * 100:.3g} %"))
        _legend(figure, [axes])
        return svg(figure, name, "Failed customers by cause")


def differences(
    rows: Sequence[Compared], xlabel: str, colour: str, name: str = "differences"
) -> str:
    """The relative difference of each metric; bars beyond 100 % are cut and say their value."""
    with style():
        known = [row for row in rows if row.difference is not None]
        figure = Figure(figsize=(HALF, max(2.4, 1.0 + 0.24 * len(known))), layout="constrained")
        axes = figure.subplots()
        if not known:
            nothing(axes, "nothing to compare")
            return svg(figure, name, xlabel)
        values = [row.difference or 0.0 for row in known]
        reach = min(_ERROR_SHOWN, max(0.12, max(abs(value) for value in values)))
        places = np.arange(len(known))
        axes.axvspan(-0.1, 0.1, color=RULE, alpha=0.45, lw=0)
        axes.barh(places, np.clip(values, -reach, reach), 0.62, color=colour)
        axes.axvline(0, color=INK, lw=0.8)
        for place, value in zip(places, values, strict=True):
            end = max(-reach, min(reach, value))
            axes.annotate(
                shown_error(value),
                (end, place),
                (4 if value >= 0 else -4, 0),
                textcoords="offset points",
                va="center",
                ha="left" if value >= 0 else "right",
                fontsize=8,
            )
        axes.set_yticks(places, [row.metric for row in known])
        axes.set(ylim=(len(known) - 0.4, -0.6), xlim=(-1.6 * reach, 1.6 * reach), xlabel=xlabel)
        axes.xaxis.set_major_locator(MaxNLocator(4, symmetric=True))
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda share, _: f"{share * 100:+.3g} %" if share else "0")
        )
        axes.grid(visible=False, axis="y")
        return svg(figure, name, xlabel)


# ── parts of figures ────────────────────────────────────────────────────────────────────────────


def _panels(count: int, *, share: bool = False) -> tuple[Figure, list[Axes]]:
    columns = 3
    rows = max(1, -(-count // columns))
    figure = Figure(figsize=(WIDE, 0.9 + 1.75 * rows))
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.09)
    grid = figure.subplots(rows, columns, sharex=share, sharey=True, squeeze=False)
    panels = list(grid.flat)
    for spare in panels[count:]:
        spare.set_axis_off()
    for above in range(count - columns, count):
        if above >= 0:
            panels[above].tick_params(labelbottom=True)
    if not count:
        nothing(panels[1])
    return figure, panels[:count]


def _steps(
    axes: Axes,
    counts: Sequence[int],
    width: float,
    unit: float,
    colour: str,
    name: str,
    look: str,
    weight: float = 1.1,
) -> None:
    edges = np.arange(len(counts) + 1) * width / unit
    rates = np.array(counts, dtype=float) / width
    axes.stairs(rates, edges, color=colour, label=name, ls=look, lw=weight)


def _shade(
    axes: Axes, faults: Sequence[FaultWindow], until: float, unit: float, labelled: bool = False
) -> None:
    # Labels stand above the axes, on as many lines as it takes for none to meet another.
    lines: list[float] = []
    for fault in sorted(faults, key=lambda fault: fault.start):
        if fault.start >= until:
            continue
        end = min(until, until if fault.end is None else fault.end)
        axes.axvspan(fault.start / unit, end / unit, color=FAULT, alpha=0.22, lw=0)
        if not labelled:
            continue
        length = 0.0085 * len(fault.label) + 0.01
        left = min(fault.start / until, 1 - length)
        row = next((i for i, taken in enumerate(lines) if taken <= left), len(lines))
        lines[row : row + 1] = [left + length]
        axes.annotate(
            fault.label,
            (left, 1),
            (0, 4 + 12 * row),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=8.5,
        )


def _bars(
    axes: Axes,
    names: Sequence[str],
    bars: Sequence[tuple[Line, Sequence[tuple[int, float]]]],
) -> None:
    places = np.arange(len(names))
    height = 0.8 / len(bars)
    for nth, (line, values) in enumerate(bars):
        at = places + (nth - (len(bars) - 1) / 2) * height
        axes.barh(
            at, [share for _, share in values], height * 0.9, color=line.colour, label=line.name
        )
        for place, (count, share) in zip(at, values, strict=True):
            axes.annotate(
                f"{count:,} ({shown(share, 'share')})",
                (share, place),
                (3, 0),
                textcoords="offset points",
                va="center",
                fontsize=8 if len(bars) == 1 else 7.5,
            )
    axes.set_yticks(places, list(names))
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.grid(visible=False, axis="y")


def _legend(
    figure: Figure,
    panels: Sequence[Axes],
    where: Literal["outside lower center", "outside upper right"] = "outside lower center",
) -> None:
    if panels and panels[0].get_legend_handles_labels()[0]:
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc=where, ncols=4)


# ── numbers of figures ──────────────────────────────────────────────────────────────────────────


def _until(lines: Sequence[Line]) -> float:
    return max(
        max(line.summary.duration, len(line.summary.series.active) * line.summary.series.width)
        for line in lines
    )


def _step_names(lines: Sequence[Line]) -> list[str]:
    found = {step for line in lines for step in line.summary.steps}
    return [step for step in STEP_ORDER if step in found]


def _latency(summary: Summary, step: str) -> Latency | None:
    if not step:
        return summary.binding
    found = summary.steps.get(step)
    return found.latency if found else None


def _latency_limits(lines: Sequence[Line]) -> tuple[float, float]:
    return _limits(
        [step.latency for line in lines for step in line.summary.steps.values()],
    )


def _whole_limits(lines: Sequence[Line]) -> tuple[float, float]:
    return _limits([line.summary.binding for line in lines if line.summary.binding])


def _limits(latencies: Sequence[Latency]) -> tuple[float, float]:
    # Whole decades, so that there are always two labels to read a value between. A rare wait of no
    # length must not stretch the axis, so the lower end goes by the medians.
    low = min((latency.p50 / 3 for latency in latencies), default=1e-3)
    high = max((latency.max for latency in latencies), default=1.0)
    bottom = 10 ** np.floor(np.log10(max(low, 1e-4)))
    top = 10 ** np.ceil(np.log10(max(high, 10 * bottom)) + 1e-9)
    return float(bottom), float(top)


def _tail(latency: Latency, low: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # No further than the data say: the longest of n durations stands for a share of 1/n.
    levels, values = np.array(LEVELS), np.array(latency.quantiles)
    backed = levels <= 1 - 1 / latency.count
    shares = np.append(1 - levels[backed], 1 / latency.count)
    return np.append(values[backed], latency.max).clip(low), shares


def alone(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Where points have no neighbour, so that a line would not show them."""
    known = np.concatenate(([False], np.isfinite(values), [False]))
    return np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:])


def _stages(line: Line) -> list[int]:
    return [*(s.reached for s in line.summary.funnel), line.summary.states.get("ACTIVE", 0)]


def _by_cause(summary: Summary) -> dict[str, int]:
    counts: dict[str, int] = {}
    for found in summary.causes:
        counts[found.cause] = counts.get(found.cause, 0) + found.count
    return counts


def _of(count: int, whole: int) -> float:
    return count / whole if whole else 0.0
