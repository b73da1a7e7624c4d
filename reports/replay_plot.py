"""The figure of a replay: every recorded series with what was played laid over it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports.figure import OFFERED, log_seconds, style, svg, time_axis
from reports.page import drawing
from reports.plots import WIDE, Line, Plot, alone
from reports.replay_schema import Replay, ReplaySeries

_COLUMNS = 2
_TITLES = {"rate": "arrivals per second", "latency": "latency, p50 and p99"}
_LATENCIES = ("p50", "p99")
_LEAST_TOP = 0.05
"""The least that an axis of error shares shows, so that one failed call is no mountain."""


def replay_plots(lines: Sequence[Line]) -> list[Plot]:
    """A figure for each line that is a replay."""
    return [
        Plot(
            title=f"Recorded and replayed, {line.name}",
            caption="Dashed: as recorded. Solid: as replayed, row by row; rows with too few calls"
            " to judge are left out.",
            svg=drawing(_figure(line, found, f"replay{number}")),
        )
        for number, line in enumerate(lines)
        if (found := line.summary.replay) is not None
    ]


def _figure(line: Line, replay: Replay, name: str) -> str:
    panels = _panels(replay)
    with style():
        rows = -(-len(panels) // _COLUMNS)
        figure = Figure(figsize=(WIDE, 0.9 + 2.0 * rows), layout="constrained")
        grid = list(figure.subplots(rows, _COLUMNS, sharex=True, squeeze=False).flat)
        until = replay.step * max(len(series.recorded) for series in replay.series)
        unit, label = time_axis(until)
        for axes, (title, drawn) in zip(grid, panels, strict=False):
            if not drawn:
                axes.set_axis_off()
                continue
            axes.set(title=title, xlim=(0, until / unit))
            for series in drawn:
                at = (np.arange(len(series.recorded)) + 0.5) * replay.step / unit
                first = axes is grid[0]
                theirs = np.array(series.recorded, dtype=float)
                mine = np.array(series.replayed, dtype=float)
                axes.plot(at, mine, color=line.colour, label=line.name if first else None)
                axes.plot(at, theirs, "--", color=OFFERED, label="recorded" if first else None)
                for values, colour in ((mine, line.colour), (theirs, OFFERED)):
                    lone = alone(values)
                    axes.plot(at[lone], values[lone], "o", color=colour, ms=3)
            _scale(axes, drawn)
            axes.tick_params(labelbottom=True)
        for spare in grid[len(panels) :]:
            spare.set_axis_off()
        figure.supxlabel(label, fontsize=9)
        figure.legend(loc="outside upper right", ncols=2)
        return svg(figure, name, f"Recorded and replayed series, {line.name}")


def _panels(replay: Replay) -> list[tuple[str, list[ReplaySeries]]]:
    panels: dict[str, list[ReplaySeries]] = {}
    for series in replay.series:
        measure = "latency" if series.measure in _LATENCIES else series.measure
        title = _TITLES.get(measure, measure.replace("_", " "))
        panels.setdefault(f"{series.of}: {title}", []).append(series)
    arrivals, *rest = panels.items()
    return [arrivals, ("", []), *rest]  # a gateway's latency and errors side by side


def _scale(axes: Axes, drawn: Sequence[ReplaySeries]) -> None:
    if drawn[0].measure in _LATENCIES:
        values = [v for s in drawn for v in (*s.recorded, *s.replayed) if v]
        if not values:  # no logarithm shows nothing, or noughts alone
            return
        low, high = min(values), max(values)
        bottom = 10.0 ** np.floor(np.log10(max(low, 1e-4)))
        log_seconds(axes, "y", float(bottom), float(10.0 ** np.ceil(np.log10(high) + 1e-9)))
        return
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    if drawn[0].measure == "error_share":
        axes.set_ylim(top=max(_LEAST_TOP, axes.get_ylim()[1]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share * 100:.3g} %"))
