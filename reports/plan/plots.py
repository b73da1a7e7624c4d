"""The figures of a plan. Each takes the plan and the words, and gives an SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Literal, get_args

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports.figure import FIRST, OFFERED, SECOND, SERIES, style, svg
from reports.fonts import lettering
from reports.plan.answers import amount, changed
from reports.plan.result import CostPart, Plan, Resource, Swing
from reports.plots import WIDE
from reports.words import Words

_THOUSAND = 1e5
"""Fen in a thousand CNY."""
_COLUMNS = 3
_DAYS_A_MONTH = 365.25 / 12
_ENDS: tuple[tuple[Literal["low", "high"], str, str], ...] = (
    ("low", FIRST, "plot.lower"),
    ("high", SECOND, "plot.higher"),
)


def demand(plan: Plan, words: Words) -> str:
    """Peak arrivals a second with their interval, and what nodes carry."""
    months = plan.months
    at = np.arange(len(months))
    margin = 1 + plan.reserve.headroom
    spare = 1 if plan.reserve.fault else 0
    node = plan.profile.node.value

    def carried(nodes: float) -> float:
        return (nodes - spare) * node / margin

    with _drawing(words):
        figure = Figure(figsize=(WIDE, 3.9), layout="constrained")
        axes = figure.subplots()
        peaks = [month.peak for month in months]
        axes.fill_between(
            at,
            [peak.low for peak in peaks],
            [peak.high for peak in peaks],
            color=FIRST,
            alpha=0.22,
            lw=0,
            label=words("plot.interval"),
        )
        axes.plot(at, [p.value for p in peaks], "o-", color=FIRST, ms=3.5, label=words("plot.peak"))
        today = [carried(plan.has["nodes"])] * len(months)
        axes.plot(at, today, "--", color=OFFERED, label=words("plot.today"))
        bought = [carried(month.bought["nodes"]) for month in months]
        axes.step(at, bought, where="mid", color=SECOND, label=words("plot.plan"))
        axes.set_ylabel(words("plot.arrivals"))
        axes.set_ylim(bottom=0)
        _month_axis(axes, plan)
        figure.legend(loc="outside lower center", ncols=4)
        return svg(figure, "plan-demand", words("plot.demand"))


def cost(plan: Plan, words: Words) -> str:
    """Stacked bars of the parts, and the interval of the total."""
    at = np.arange(len(plan.months))
    parts: tuple[CostPart, ...] = get_args(CostPart)
    with _drawing(words):
        figure = Figure(figsize=(WIDE, 3.7), layout="constrained")
        axes = figure.subplots()
        below = np.zeros(len(at))
        for part, colour in zip(parts, SERIES, strict=True):
            heights = np.array([month.cost[part].value for month in plan.months]) / _THOUSAND
            axes.bar(
                at, heights, bottom=below, width=0.8, color=colour, label=words(f"part.{part}")
            )
            below += heights
        totals = [month.total for month in plan.months]
        ends = np.array([[t.value - t.low, t.high - t.value] for t in totals]).T / _THOUSAND
        axes.errorbar(at, below, yerr=ends, fmt="none", ecolor=OFFERED, elinewidth=1.2, capsize=2.5)
        axes.set_ylabel(words("plot.money"))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        _month_axis(axes, plan)
        figure.legend(loc="outside lower center", ncols=6)
        return svg(figure, "plan-cost", words("plot.cost"))


def resources(plan: Plan, words: Words) -> str:
    """A panel for each resource: needed, today's limit, and what the plan buys."""
    names: tuple[Resource, ...] = get_args(Resource)
    rows = -(-len(names) // _COLUMNS)
    with _drawing(words):
        figure = Figure(figsize=(WIDE, 2.0 * rows + 0.5), layout="constrained")
        grid = figure.subplots(rows, _COLUMNS, squeeze=False, sharex=True)
        for axes, name in zip(grid.flat, names, strict=False):
            _resource(axes, plan, name, words)
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
        return svg(figure, "plan-resources", words("plot.resources"))


def tornado(plan: Plan, words: Words) -> str:
    """Bars around the plan's own values, the largest effect on cost above: total cost, and the day
    on which today's set-up runs out."""
    swings = list(reversed(plan.swings))
    at = np.arange(len(swings))
    with _drawing(words):
        figure = Figure(figsize=(WIDE, 0.5 * len(swings) + 1.3), layout="constrained")
        costs, dates = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
        _cost_bars(costs, plan, swings, words)
        _date_bars(dates, plan, swings, words)
        costs.set_yticks(at, [words(f"swing_name.{swing.name}") for swing in swings])
        handles, labels = costs.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
        return svg(figure, "plan-tornado", words("plot.tornado"))


def _cost_bars(axes: Axes, plan: Plan, swings: Sequence[Swing], words: Words) -> None:
    whole = plan.total.value
    for end, colour, name in _ENDS:
        moved = [(getattr(swing, f"{end}_cost") - whole) / _THOUSAND for swing in swings]
        axes.barh(range(len(swings)), moved, height=0.55, color=colour, label=words(name))
        for y, (swing, by) in enumerate(zip(swings, moved, strict=True)):
            left = by < 0 or (by == 0 and end == "low")
            axes.annotate(
                changed(swing, end, words), (by, y), (-4 if left else 4, 0),
                textcoords="offset points", ha="right" if left else "left", va="center",
                fontsize=7.5,
            )  # fmt: skip
    axes.axvline(0, color=OFFERED, lw=0.9)
    axes.margins(x=0.16)
    axes.set_xlabel(words("plot.tornado_axis"))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+,.0f}"))
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.grid(visible=False, axis="y")


def _date_bars(axes: Axes, plan: Plan, swings: Sequence[Swing], words: Words) -> None:
    """Days, drawn in months since the plan began; what lies beyond the plan is said to be later."""
    begin, end_of_plan = _first_day(plan), float(len(plan.months))

    def months(day: str | None) -> float:
        if day is None:
            return end_of_plan
        return (date.fromisoformat(day) - begin).days / _DAYS_A_MONTH

    own = months(plan.first_out.date if plan.first_out else None)
    for end, colour, _ in _ENDS:
        for y, swing in enumerate(swings):
            day = getattr(swing, f"{end}_date")
            moved = months(day) - own
            axes.barh(y, moved, left=own, height=0.55, color=colour)
            if moved:
                axes.annotate(
                    day or words("plot.tornado_beyond"), (own + moved, y),
                    (4 if moved > 0 else -4, 0), textcoords="offset points",
                    ha="left" if moved > 0 else "right", va="center", fontsize=7.5,
                )  # fmt: skip
    axes.axvline(own, color=OFFERED, lw=0.9)
    axes.set_xlim(0, end_of_plan * 1.05)
    step = max(1, -(-len(plan.months) // 5))
    ticks = list(range(0, len(plan.months), step))
    axes.set_xticks(ticks, [plan.months[tick].month for tick in ticks])
    axes.set_xlabel(words("plot.tornado_dates"))
    axes.grid(visible=False, axis="y")


def _first_day(plan: Plan) -> date:
    return date.fromisoformat(f"{plan.months[0].month}-01")


@contextmanager
def _drawing(words: Words) -> Iterator[None]:
    with style(), mpl.rc_context(lettering(words.lang == "zh")):
        yield


def _resource(axes: Axes, plan: Plan, name: Resource, words: Words) -> None:
    at = np.arange(len(plan.months))
    needed = [month.needed[name] for month in plan.months]
    axes.fill_between(
        at,
        [each.low for each in needed],
        [each.high for each in needed],
        color=FIRST,
        alpha=0.22,
        lw=0,
        label=words("plot.interval"),
    )
    axes.plot(at, [each.value for each in needed], color=FIRST, label=words("plot.needed"))
    axes.step(
        at,
        [month.bought[name] for month in plan.months],
        where="mid",
        color=SECOND,
        lw=1.0,
        label=words("plot.plan"),
    )
    limit = plan.has.get(name)
    if limit is not None:
        axes.axhline(limit, ls="--", color=OFFERED, label=words("plot.today"))
        beyond = [i for i, each in enumerate(needed) if each.value > limit]
        if beyond:
            axes.axvspan(beyond[0] - 0.5, len(at) - 0.5, color=SECOND, alpha=0.08, lw=0)
    axes.set_title(words(f"resource.{name}"), fontsize=8.5)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: amount(name, value, words)))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=name == "nodes"))
    axes.tick_params(labelsize=7)
    axes.set_ylim(bottom=0)
    _month_axis(axes, plan, most=4)


def _month_axis(axes: Axes, plan: Plan, most: int = 12) -> None:
    step = max(1, -(-len(plan.months) // most))
    at = range(0, len(plan.months), step)
    axes.set_xticks(list(at), [plan.months[i].month for i in at])
    axes.set_xlim(-0.6, len(plan.months) - 0.4)
    axes.grid(visible=False, axis="x")
