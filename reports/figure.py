"""Drawing for a page: one style, and SVG that goes inside HTML without reaching outside it."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from scenarios.printed_text import printed_text

INK = "#1f2328"
RULE = "#d0d7de"
OFFERED = "#7f8c99"
FAULT = "#e69f01"
FIRST = "#0072b2"
SECOND = "#d55e01"
"""Colours that stay apart for colour-blind readers (Okabe and Ito, 2008; two are off by one in the
last digit so that each can be told from other uses when the page's theme replaces it)."""

SERIES = (FIRST, SECOND, "#009e73", "#cc79a7", "#9a7d00", "#7f6fd0")
"""Colours of more than two lines; those after the second are legible on light and on dark."""

_THEME = {
    INK: "var(--ink)",
    RULE: "var(--rule)",
    OFFERED: "var(--offered)",
    FAULT: "var(--fault)",
    FIRST: "var(--first)",
    SECOND: "var(--second)",
}

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    # Text stays text: it can be searched and read aloud, and the reader's fonts hold all scripts.
    "svg.fonttype": "none",
    "svg.hashsalt": "bindrill",
}


@contextmanager
def style() -> Iterator[None]:
    """The one style of all figures, whatever the caller's settings are, and without touching
    them."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def svg(figure: Figure, name: str, description: str) -> str:
    """The figure as an `<svg>` element whose identifiers begin with `name`.

    `description` is read aloud to those who do not see it.
    """
    for words in figure.findobj(Text):
        assert isinstance(words, Text)  # noqa: S101  # as they were looked for
        words.set_text(printed_text(words.get_text(), keep="\n"))  # XML has no controls
    text = io.StringIO()
    with warnings.catch_warnings():
        # Scripts that the measuring font lacks are drawn by the reader's browser.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(
            text,
            format="svg",
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    drawn = text.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r'<g id="[^"]*"', "<g", drawn)
    drawn = re.sub(r'\bid="', f'id="{name}-', drawn)
    drawn = re.sub(r'(?:xlink:)?href="#', f'href="#{name}-', drawn)
    drawn = drawn.replace("url(#", f"url(#{name}-")
    for colour, variable in _THEME.items():
        drawn = drawn.replace(colour, variable)
    drawn = re.sub(r"<!--.*?-->\s*", "", drawn, flags=re.DOTALL)
    head, body = drawn.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)
    label = _attribute(printed_text(description))
    return f'<svg role="img" aria-label="{label}" {box[0] if box else ""}>{body}'.strip()


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def nothing(axes: Axes, text: str = "nothing recorded") -> None:
    """Say in place of a plot that there is nothing to plot."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, color=INK)


def time_axis(until: float) -> tuple[float, str]:
    """The divisor and the axis label for times up to `until` seconds."""
    if until <= 300:
        return 1.0, "seconds since the run began"
    if until <= 3 * 3600:
        return 60.0, "minutes since the run began"
    return 3600.0, "hours since the run began"


def log_seconds(axes: Axes, which: str, low: float, high: float) -> None:
    """A logarithmic axis of durations, with a label a decade: 1 ms, 10 ms, 0.1 s, 1 s."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    (axes.set_xlim if which == "x" else axes.set_ylim)(low, high)
    decades = [10.0**power for power in range(-4, 7) if low <= 10.0**power <= high]
    axis.set_major_locator(FixedLocator(decades))
    axis.set_major_formatter(FuncFormatter(_decade))
    axis.set_minor_locator(NullLocator())


def _decade(value: float, _: int) -> str:
    return f"{value * 1000:g} ms" if value < 1 else f"{value:g} s"
