"""The figure of a recovery: throughput and customers inside, against the no-fault twin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reports.figure import FAULT, OFFERED, style, svg, time_axis
from reports.numbers import shown
from reports.page import drawing
from reports.plots import WIDE, Line, Plot
from reports.resilience_schema import Curves, FaultImpact


def recovery_plots(lines: Sequence[Line]) -> list[Plot]:
    """A figure for each line that has a twin."""
    return [
        Plot(
            title=f"Against the no-fault twin, {line.name}",
            caption="Bindings that became ACTIVE a second, over"
            f" {shown(found.curves.window, 's')} around each moment, and customers inside. Filled:"
            " bindings behind the twin's, and customers more than the twin's. Shaded: faults in"
            " force. Dotted: throughput with the twin's again.",
            svg=drawing(_figure(line, found.curves, found.faults, f"recovery{number}")),
        )
        for number, line in enumerate(lines)
        if (found := line.summary.resilience) is not None
    ]


def _figure(line: Line, curves: Curves, faults: Sequence[FaultImpact], name: str) -> str:
    with style():
        figure = Figure(figsize=(WIDE, 5.2), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        until = curves.step * (len(curves.lost) - 1)
        unit, label = time_axis(until)
        at = np.arange(len(curves.lost)) * curves.step / unit
        for axes, ours, twin, filled in (
            (above, curves.throughput, curves.twin_throughput, "behind the twin"),
            (below, curves.in_system, curves.twin_in_system, ""),
        ):
            mine, theirs = np.array(ours, dtype=float), np.array(twin, dtype=float)
            worse = mine < theirs if axes is above else mine > theirs
            axes.plot(at, theirs, "--", color=OFFERED, lw=1.2, label=_once(axes, above, "twin"))
            axes.plot(at, mine, color=line.colour, label=_once(axes, above, line.name))
            axes.fill_between(
                at,
                mine,
                theirs,
                where=worse.tolist(),
                interpolate=True,
                color=line.colour,
                alpha=0.2,
                lw=0,
                label=filled or None,
            )
            _mark(axes, faults, until, unit, labelled=axes is above)
            axes.set_ylim(bottom=0)
            axes.yaxis.set_major_locator(MaxNLocator(5))
        above.set(ylabel="bindings per second", xlim=(0, until / unit))
        below.set(ylabel="customers inside", xlabel=label)
        figure.legend(loc="outside lower center", ncols=5)
        return svg(figure, name, f"Throughput and customers inside against the twin, {line.name}")


def _once(axes: Axes, first: Axes, text: str) -> str | None:
    return text if axes is first else None


def _mark(
    axes: Axes, faults: Sequence[FaultImpact], until: float, unit: float, *, labelled: bool
) -> None:
    for nth, fault in enumerate(faults):
        end = until if fault.end is None else min(until, fault.end)
        say = labelled and not nth
        axes.axvspan(
            fault.start / unit,
            end / unit,
            color=FAULT,
            alpha=0.22,
            lw=0,
            label="fault in force" if say else None,
        )
        if fault.recovered_at is not None:
            axes.axvline(fault.recovered_at / unit, ls=":", color=OFFERED, lw=1.4)
