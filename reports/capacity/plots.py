"""The figures of `capacity.html`. Each takes the limits of the clocks and gives an SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from statistics import fmean

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports.capacity.result import Limit, Measured
from reports.figure import FIRST, OFFERED, RULE, SECOND, SERIES, log_seconds, nothing, style, svg
from reports.plots import HALF, WIDE
from reports.run_folder import Clock

COLOURS: dict[Clock, str] = {"sim": FIRST, "live": SECOND}
NAMES: dict[Clock, str] = {"sim": "simulated", "live": "live"}
SHOWN = 0.05
"""Use below which a resource is left out of the plot."""
_MOST_RESOURCES = 6


def throughput(limits: Sequence[Limit], name: str = "throughput") -> str:
    """Bindings a second against arrivals a second, with the interval of each limit."""
    with style():
        figure = Figure(figsize=(WIDE, 3.9), layout="constrained")
        axes = figure.subplots()
        most = max(limit.rates[-1] for limit in limits)
        for limit in limits:
            _band(axes, limit)
            lightest = limit.at(limit.rates[0])
            share = fmean(each.throughput / each.rate for each in lightest)
            if limit is limits[0]:
                axes.plot(
                    [0, most], [0, share * most], "--", color=OFFERED, label="as at the lowest rate"
                )
            _points(axes, limit, lambda each: each.throughput, COLOURS[limit.clock])
        axes.set(xlabel="arrivals a second", ylabel="bindings a second", xlim=(0, most * 1.03))
        axes.set_ylim(bottom=0)
        figure.legend(loc="outside lower center", ncols=5)
        return svg(figure, name, "Throughput against offered load")


def latency(limits: Sequence[Limit], name: str = "latency") -> str:
    """p50, p95 and p99 of all requests against arrivals a second, a panel for each clock."""
    with style():
        figure, panels = _panels(limits)
        known = [r for limit in limits for each in limit.measures if (r := each.requests)]
        if not known:
            nothing(panels[0])
            return svg(figure, name, "Latency against offered load")
        low = 10 ** np.floor(np.log10(max(1e-4, min(each.p50 for each in known))))
        high = 10 ** np.ceil(np.log10(max(each.p99 for each in known)) + 1e-9)
        for axes, limit in zip(panels, limits, strict=True):
            _band(axes, limit)
            log_seconds(axes, "y", float(low), float(high))
            for field, look in (("p50", "-"), ("p95", "--"), ("p99", ":")):
                value = partial(_percentile, field)
                _points(axes, limit, value, COLOURS[limit.clock], look=look, label=field)
            axes.set_title(NAMES[limit.clock])
            axes.legend(loc="upper left")
        figure.supxlabel("arrivals a second", fontsize=9)
        panels[0].set_ylabel("latency of a request")
        return svg(figure, name, "Latency percentiles against offered load")


def utilisation(limits: Sequence[Limit], name: str = "utilisation") -> str:
    """How busy each resource is against arrivals a second, a panel for each clock."""
    with style():
        figure, panels = _panels(limits)
        names = _resources(limits)
        for axes, limit in zip(panels, limits, strict=True):
            _band(axes, limit)
            for colour, resource in zip(SERIES, names, strict=False):
                _points(axes, limit, partial(_used, resource), colour, label=resource)
            axes.set(title=NAMES[limit.clock], ylim=(0, 1.05))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share * 100:.0f} %"))
        handles: dict[str, Artist] = {}
        for axes in panels:
            found, texts = axes.get_legend_handles_labels()
            handles.update(zip(texts, found, strict=True))
        figure.legend(handles.values(), list(handles), loc="outside lower center", ncols=4)
        figure.supxlabel("arrivals a second", fontsize=9)
        panels[0].set_ylabel("in use")
        return svg(figure, name, "Utilisation of every resource against offered load")


def law(limits: Sequence[Limit], name: str = "law") -> str:
    """Throughput against requests in progress, with the fitted Universal Scalability Law."""
    with style():
        figure = Figure(figsize=(HALF, 3.7), layout="constrained")
        axes = figure.subplots()
        drawn = False
        for limit in limits:
            points = [(m.concurrency, m.throughput) for m in limit.measures if m.concurrency > 0]
            if not points:
                continue
            drawn = True
            loads, values = zip(*points, strict=True)
            colour = COLOURS[limit.clock]
            axes.plot(loads, values, "o", ms=4, color=colour, label=NAMES[limit.clock])
            if limit.usl is not None:
                along = np.geomspace(min(loads), max(loads), 120)
                fitted = [limit.usl.throughput(float(load)) for load in along]
                axes.plot(
                    along, fitted, color=colour, lw=1.2, label=f"{NAMES[limit.clock]}, fitted"
                )
        if not drawn:
            nothing(axes)
            return svg(figure, name, "Universal Scalability Law")
        axes.set(xscale="log", xlabel="requests in progress", ylabel="bindings a second")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda load, _: f"{load:g}"))
        axes.set_ylim(bottom=0)
        figure.legend(loc="outside lower center", ncols=2)
        return svg(figure, name, "Throughput against requests in progress, and the fitted law")


def _panels(limits: Sequence[Limit]) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(WIDE, 3.9), layout="constrained")
    grid = figure.subplots(1, len(limits), sharey=True, squeeze=False)
    for axes, limit in zip(grid.flat, limits, strict=True):
        axes.set_xlim(0, limit.rates[-1] * 1.03)
        axes.xaxis.set_major_locator(MaxNLocator(7))
        axes.tick_params(labelleft=True)
    return figure, list(grid.flat)


def _band(axes: Axes, limit: Limit) -> None:
    """From the rate known to hold to the one known to fail."""
    if limit.low is None or limit.high is None:
        return
    axes.axvspan(limit.low, limit.high, color=COLOURS[limit.clock], alpha=0.18, lw=0)
    axes.axvline(limit.low, color=RULE, lw=0.8)
    axes.axvline(limit.high, color=RULE, lw=0.8)


def _points(
    axes: Axes,
    limit: Limit,
    value: Callable[[Measured], float | None],
    colour: str,
    *,
    look: str = "-",
    label: str | None = None,
) -> None:
    """A line through the means at each rate, and a point for each measure, hollow where the
    objectives failed."""
    rates, means = [], []
    for rate in limit.rates:
        known = [found for each in limit.at(rate) if (found := value(each)) is not None]
        if known:
            rates.append(rate)
            means.append(fmean(known))
    axes.plot(rates, means, look, color=colour, lw=1.4, label=label or NAMES[limit.clock])
    for each in limit.measures:
        found = value(each)
        if found is not None:
            face = colour if each.held else "none"
            axes.plot([each.rate], [found], "o", ms=3.5, color=colour, mfc=face, mew=0.9)


def _percentile(field: str, each: Measured) -> float | None:
    value: float | None = getattr(each.requests, field) if each.requests is not None else None
    return value


def _used(resource: str, each: Measured) -> float | None:
    usage = each.used(resource)
    return None if usage is None else usage.used


def _resources(limits: Sequence[Limit]) -> list[str]:
    most: dict[str, float] = {}
    for limit in limits:
        for each in limit.measures:
            for usage in each.usage:
                most[usage.resource] = max(most.get(usage.resource, 0.0), usage.used)
    busy = sorted((r for r in most if most[r] >= SHOWN), key=lambda r: -most[r])
    return busy[:_MOST_RESOURCES]
