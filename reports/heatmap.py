"""The picture of a sweep: a map of two dimensions, a line over one."""

from __future__ import annotations

import io

import matplotlib as mpl
import msgspec
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from reports.figure import FIRST, OFFERED, SECOND, nothing, style, svg
from reports.numbers import shown
from reports.swept import Swept
from scenarios.varied import Dimension

_WRITTEN_IN = 14
"""Cells across, up to which each says its value."""

_UNITS = {"s": "seconds", "/s": "per second", "share": "per cent", "number": "", "": ""}
_GAP = "#d4d8dd"
_ANSWERS = (
    (SECOND, "does not recover", "✗"),
    (FIRST, "recovers", "✓"),
    (_GAP, "not simulated, or unclear", ""),
)


class Picture(msgspec.Struct, frozen=True):
    """A figure as SVG for a page, and as PNG on white."""

    svg: str
    png: bytes


def picture(swept: Swept) -> Picture:
    """The measure over the grid: two colours for recovers or not, otherwise a sequential scale."""
    with style():
        if swept.measure.unit == "yes":
            figure = _answers(swept)
        elif len(swept.dimensions) == 2:
            figure = _numbers(swept)
        else:
            figure = _line(swept)
        described = f"{swept.measure.text} over {' and '.join(d.path for d in swept.dimensions)}"
        image = io.BytesIO()
        drawn = svg(figure, "sweep", described)
        figure.savefig(image, format="png", dpi=150, facecolor="white", metadata={"Software": None})
        return Picture(drawn, image.getvalue())


def _answers(swept: Swept) -> Figure:
    rows = swept.rows
    figure, axes = _axes(swept)
    codes = [[2 if value is None else int(bool(value)) for value in row] for row in rows]
    axes.pcolormesh(
        np.array(codes), cmap=ListedColormap([c for c, _, _ in _ANSWERS]), vmin=-0.5, vmax=2.5,
        edgecolors="white", linewidth=1.2,
    )  # fmt: skip
    if len(rows[0]) <= _WRITTEN_IN:
        for y, row in enumerate(codes):
            for x, code in enumerate(row):
                _write(axes, x, y, _ANSWERS[code][2], "#ffffff", 11)
    found = {code for row in codes for code in row}
    handles = [
        Patch(facecolor=colour, label=name)
        for code, (colour, name, _) in enumerate(_ANSWERS)
        if code in found
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _numbers(swept: Swept) -> Figure:
    values = _as_numbers(swept)
    figure, axes = _axes(swept)
    known = values[np.isfinite(values)]
    scale = Normalize(float(known.min()), float(known.max())) if len(known) else Normalize(0, 1)
    colours = mpl.colormaps["cividis"].with_extremes(bad=_GAP)
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(values), cmap=colours, norm=scale, edgecolors="white", linewidth=1.2
    )
    unit = swept.measure.unit
    assert unit != "yes"  # noqa: S101  # narrows the type: those are answers
    bar = figure.colorbar(mesh, ax=axes, format=FuncFormatter(lambda value, _: shown(value, unit)))
    bar.set_label(swept.measure.text)
    bar.outline.set_visible(False)
    if values.shape[1] <= _WRITTEN_IN:
        for (y, x), value in np.ndenumerate(values):
            if not np.isfinite(value):
                continue
            light = float(scale(value)) > 0.55
            _write(axes, x, y, shown(value, unit), "#000000" if light else "#ffffff", 7.5)
    return figure


def _line(swept: Swept) -> Figure:
    (dimension,) = swept.dimensions
    values = _as_numbers(swept)[0]
    unit = swept.measure.unit
    assert unit != "yes"  # noqa: S101  # narrows the type: those are answers
    figure = Figure(figsize=(8.4, 4.0), layout="constrained")
    axes = figure.subplots()
    if not np.isfinite(values).any():
        nothing(axes, f"{swept.measure.text} has no value anywhere")
        return figure
    at = np.array(dimension.numbers or range(len(values)), dtype=float)
    if dimension.numbers and _geometric(at):
        axes.set_xscale("log")
    axes.plot(at, values, "-o", color=FIRST, ms=5)
    axes.set_xticks(at, _ticks(dimension), minor=False)
    axes.minorticks_off()
    for place in at[~np.isfinite(values)]:
        axes.axvline(place, color=OFFERED, ls=":", lw=1.2)
        axes.annotate(
            "no value ",
            (place, 0.98),
            xycoords=("data", "axes fraction"),
            rotation=90,
            ha="right",
            va="top",
            fontsize=8,
        )
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: shown(value, unit)))
    axes.set(xlabel=_called(dimension), ylabel=swept.measure.text)
    if float(np.nanmin(values)) >= 0:
        axes.set_ylim(bottom=0)
    return figure


def _geometric(at: NDArray[np.float64]) -> bool:
    """Whether three or more values rise by one factor, so that a linear axis would crowd them."""
    if len(at) < 3 or at.min() <= 0:
        return False
    factors = at[1:] / at[:-1]
    return bool(np.allclose(factors, factors[0], rtol=0.02))


def _axes(swept: Swept) -> tuple[Figure, Axes]:
    across = swept.dimensions[0]
    down = swept.dimensions[1] if len(swept.dimensions) > 1 else None
    height = 1.9 + 0.42 * (len(down.values) if down else 1)
    width = min(14.0, max(6.4, 2.6 + 0.72 * len(across.values)))
    figure = Figure(figsize=(width, min(12.0, max(2.4, height))), layout="constrained")
    axes = figure.subplots()
    axes.grid(visible=False)
    axes.set_xticks(np.arange(len(across.values)) + 0.5, _ticks(across))
    axes.set_xlabel(_called(across))
    if down:
        axes.set_yticks(np.arange(len(down.values)) + 0.5, _ticks(down))
        axes.set_ylabel(_called(down))
    else:
        axes.set_yticks([])
    axes.tick_params(length=0)
    if max(map(len, _ticks(across))) > 6 and len(across.values) > 8:
        axes.tick_params(axis="x", rotation=45)
    for side in axes.spines.values():
        side.set_visible(False)
    return figure, axes


def _ticks(dimension: Dimension) -> list[str]:
    if dimension.numbers is None:
        return list(dimension.labels)
    factor = 100 if dimension.kind == "share" else 1
    return [f"{number * factor:.3g}" for number in dimension.numbers]


def _called(dimension: Dimension) -> str:
    unit = _UNITS[dimension.kind]
    return f"{dimension.path} ({unit})" if unit else dimension.path


def _write(axes: Axes, x: int, y: int, text: str, colour: str, size: float) -> None:
    axes.text(x + 0.5, y + 0.5, text, ha="center", va="center", color=colour, fontsize=size)


def _as_numbers(swept: Swept) -> NDArray[np.float64]:
    return np.array(
        [[np.nan if value is None else float(value) for value in row] for row in swept.rows]
    )
