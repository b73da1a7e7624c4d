"""The two figures of the pack, in ink on paper: what happened when, and where the time went.

Letters are drawn as outlines where a font for them is installed, so that they look the same in
every reader and on every printer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from reports.drills.evidence.dossier import Dossier
from reports.drills.evidence.service import ServiceLevel
from reports.drills.evidence.words import Words
from reports.drills.result import PHASES, PhaseName, PhaseTime, TimelineEntry
from reports.figure import FIRST, INK, OFFERED, SECOND, nothing, style, svg
from reports.fonts import LATIN, chinese_font
from reports.numbers import shown

_WIDTH = 7.0
"""Inches: the text of an A4 page."""
_LANE = 0.24
_BEFORE, _AFTER = 15.0, 20.0
"""Seconds shown around the outage at the least; work long before or after is left out of view."""

PHASE_COLOURS: dict[PhaseName, str] = {
    "detect": "#e69f00",
    "decide": "#cc79a7",
    "act": "#0072b3",
    "warm_up": "#009e73",
    "back": "#7f6fd0",
}
"""Okabe and Ito (2008) again, apart for colour-blind readers."""

_PAPER = {"ink": INK, "rule": "#d0d7de", "offered": OFFERED, "fault": "#e69f01"}
_PAPER |= {"first": FIRST, "second": SECOND}


def timeline(dossier: Dossier, words: Words) -> str:
    """Actions as bars, and below them what customers got in each second, phases shaded."""
    result, service = dossier.result, dossier.service
    steps = result.timeline
    lanes = max(1, len(steps)) * _LANE + 0.5
    heights = [lanes, 1.3, 0.8] if service else [lanes]
    with _paper(words):
        figure = Figure(figsize=(_WIDTH, sum(heights) + 1.0), layout="constrained")
        panels = figure.subplots(
            len(heights), 1, sharex=True, squeeze=False, height_ratios=heights
        )[:, 0]
        start, end = _span(dossier)
        for axes in panels:
            _shade(axes, result.fault_at, result.phases)
            axes.set_xlim(start, end)
            axes.tick_params(axis="x", bottom=axes is panels[-1])
        _draw_steps(panels[0], steps, (start, end), words)
        if service:
            _draw_requests(panels[1], service, words)
            share = dossier.drill.back_at if dossier.drill else None
            _draw_share(panels[2], service, share, words)
        panels[-1].set_xlabel(words("plot.seconds"))
        _legend(figure, result.phases, words, service=bool(service))
        return _drawn(figure, "evidence-timeline", words("plot.timeline"))


def phases(dossier: Dossier, words: Words) -> str:
    """The time to recovery as one bar of its phases, with the objective where there is one."""
    found = _in_order(dossier.result.phases)
    with _paper(words):
        figure = Figure(figsize=(_WIDTH, 1.6), layout="constrained")
        axes = figure.subplots()
        if not found:
            nothing(axes, words("plot.no_phases"))
            return _drawn(figure, "evidence-phases", words("plot.phases"))
        left = 0.0
        for part in found:
            label = f"{words.name('phase', part.phase)} {shown(part.seconds, 's')}"
            colour = PHASE_COLOURS[part.phase]
            axes.barh(0, part.seconds, left=left, height=0.5, color=colour, label=label)
            left += part.seconds
        limit = dossier.drill.objectives.rto if dossier.drill else None
        if limit is not None:
            axes.axvline(limit, ls="--", color=INK, lw=1.2)
            side, gap = ("right", -4) if limit > left / 2 else ("left", 4)
            axes.annotate(
                words("plot.objective", value=shown(limit, "s")), (limit, 1.0), (gap, 1),
                xycoords=("data", "axes fraction"), textcoords="offset points",
                ha=side, va="bottom", fontsize=8,
            )  # fmt: skip
        axes.set(xlim=(0, max(left, limit or 0.0) * 1.04), ylim=(-0.45, 0.45), yticks=[])
        axes.set_xlabel(words("plot.since_fault"))
        axes.spines["left"].set_visible(False)
        axes.grid(visible=False, axis="y")
        figure.legend(loc="outside lower center", ncols=len(found), fontsize=8, handlelength=1.0)
        return _drawn(figure, "evidence-phases", words("plot.phases"))


@contextmanager
def _paper(words: Words) -> Iterator[None]:
    chinese = chinese_font() if words.lang == "zh" else None
    outlines = words.lang == "en" or chinese is not None
    with (
        style(),
        mpl.rc_context(
            {
                "font.family": [chinese, LATIN] if chinese else [LATIN],
                "svg.fonttype": "path" if outlines else "none",
            }
        ),
    ):
        yield


def _drawn(figure: Figure, name: str, description: str) -> str:
    """The figure with the colours of paper: a printer knows no theme."""
    return re.sub(r"var\(--(\w+)\)", lambda found: _PAPER[found[1]], svg(figure, name, description))


def _in_order(found: Sequence[PhaseTime]) -> list[PhaseTime]:
    return sorted(found, key=lambda part: PHASES.index(part.phase))


def _span(dossier: Dossier) -> tuple[float, float]:
    """Seconds of the run to show: every action and the outage, with some quiet on both sides."""
    result = dossier.result
    moments = [step.began for step in result.timeline]
    moments += [step.ended for step in result.timeline if step.ended is not None]
    moments += [at for at in (result.fault_at, result.back_at) if at is not None]
    if not moments:
        return 0.0, 1.0
    return max(0.0, min(moments) - _BEFORE), max(moments) + _AFTER


def _shade(axes: Axes, fault_at: float | None, found: Sequence[PhaseTime]) -> None:
    if fault_at is None:
        return
    axes.axvline(fault_at, color=INK, lw=1.2)
    start = fault_at
    for part in _in_order(found):
        end = start + part.seconds
        axes.axvspan(start, end, color=PHASE_COLOURS[part.phase], alpha=0.22, lw=0)
        start = end


def _draw_steps(
    axes: Axes, steps: Sequence[TimelineEntry], span: tuple[float, float], words: Words
) -> None:
    width = span[1] - span[0]
    for lane, step in enumerate(steps):
        destroys = step.role == "destroys"
        ended = step.ended if step.ended is not None else span[1]
        colour = SECOND if destroys else FIRST
        drawn = max(ended - step.began, width * 0.004)
        axes.barh(
            lane, drawn, left=step.began, height=0.62, color=colour,
            hatch=None if step.ended is not None else "///", edgecolor="white", lw=0,
        )  # fmt: skip
        name = f"{words.name('do', step.do)} {words.name('party', step.target)}".strip()
        on_the_right = step.began + drawn < span[0] + width * 0.62
        at, side, gap = (
            (step.began + drawn, "left", 4) if on_the_right else (step.began, "right", -4)
        )
        axes.annotate(
            name, (at, lane), (gap, 0), textcoords="offset points", ha=side, va="center",
            fontsize=8, color=INK,
        )  # fmt: skip
    axes.set_ylim(max(1, len(steps)) - 0.4, -0.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_title(words("plot.actions"))
    if not steps:
        nothing(axes, words("plot.no_actions"))


def _draw_requests(axes: Axes, service: ServiceLevel, words: Words) -> None:
    seconds = np.arange(len(service.answered) + 1)
    axes.stairs(service.answered, seconds, fill=True, color=FIRST, alpha=0.75, lw=0)
    total = np.add(service.answered, service.failed)
    axes.stairs(total, seconds, baseline=service.answered, fill=True, color=SECOND, lw=0)
    axes.set_ylim(bottom=0)
    axes.set_title(words("plot.requests"))
    axes.set_ylabel(words("plot.per_second"))


def _draw_share(axes: Axes, service: ServiceLevel, back_at: float | None, words: Words) -> None:
    middles = np.arange(len(service.share)) + 0.5
    axes.plot(middles, service.share, color=FIRST, lw=1.2, marker=".", ms=2.5)
    if back_at is not None:
        axes.axhline(back_at, ls="--", color=INK, lw=0.9)
    axes.set_ylim(-0.05, 1.08)
    axes.set_yticks([0, 0.5, 1])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share * 100:g} %"))
    title = words("plot.share")
    if back_at is not None:
        title += words("plot.share_objective", value=shown(back_at, "share"))
    axes.set_title(title)


def _legend(figure: Figure, found: Sequence[PhaseTime], words: Words, *, service: bool) -> None:
    marks = [Patch(color=SECOND), Patch(color=FIRST)]
    names = [words("plot.destroys"), words("plot.heals")]
    if service:
        names = [words("plot.destroys_or_failed"), words("plot.heals_or_answered")]
    for part in _in_order(found):
        marks.append(Patch(color=PHASE_COLOURS[part.phase], alpha=0.4, lw=0))
        names.append(words.name("phase", part.phase))
    figure.legend(marks, names, loc="outside lower center", ncols=4, fontsize=8, handlelength=1.2)
