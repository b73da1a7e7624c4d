"""`prediction.html`: what thousands of simulated drills say, on one page; and as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from reports.drills.prediction import Chance, Distribution, DrillPrediction
from reports.drills.prediction_plots import prediction_plots
from reports.intervals import Interval
from reports.numbers import MISSING, Unit, shown
from reports.page import render
from scenarios.data_size import format_size
from scenarios.passwords import command_line
from scenarios.schema import Scenario
from scenarios.whole_file import write_whole

FILE = "prediction.html"
LIKELY = 0.95
"""The chance from which on an objective counts as met by a prediction."""
HEADINGS = ("", "mean", "p5", "p50", "p95", "p99")


def write_prediction(
    found: DrillPrediction, scenario: Scenario, folder: Path, *, command: Sequence[str]
) -> Path:
    """Write `prediction.json` and `prediction.html` into `folder`; returns the page's path.
    `command` is what the user typed."""
    found.save(folder)
    page = render(
        "prediction.html.j2",
        found=found,
        scenario=scenario,
        rows=prediction_rows(found),
        headings=HEADINGS,
        likely=LIKELY,
        database=format_size(found.database),
        chances=[(each, chance_text(each)) for each in (found.recovered, *found.chances)],
        plots=prediction_plots(found),
        command=command_line(command),
        written=yaml.safe_dump(
            scenario.model_dump(mode="json", by_alias=True), sort_keys=False, allow_unicode=True
        ),
    )
    path = folder / FILE
    write_whole(path, page.encode())
    return path


def likely(found: DrillPrediction) -> bool:
    """Whether every objective is met in at least LIKELY of the drills."""
    return all(each.share >= LIKELY for each in found.chances)


def prediction_rows(found: DrillPrediction) -> list[tuple[str, ...]]:
    """The table of HEADINGS: RTO, its parts, RPO, bindings lost."""
    rows = [_row("RTO", found.rto)]
    rows += [_row(f"  {each.phase.replace('_', ' ')}", each.seconds) for each in found.phases]
    return [*rows, _row("RPO", found.rpo), _row("bindings lost", found.lost)]


def chance_text(chance: Chance) -> str:
    """`98.2 % of drills (97.9 to 98.5)`."""
    low, high = (f"{100 * bound:.4g}" for bound in (chance.low, chance.high))
    return f"{shown(chance.share, 'share')} of drills ({low} to {high})"


def _row(name: str, found: Distribution | None) -> tuple[str, ...]:
    if found is None:
        return (name, *(MISSING for _ in HEADINGS[1:]))
    quantiles = (found.p5, found.p50, found.p95, found.p99)
    return (
        name,
        _mean(found.mean, found.unit),
        *(shown(value, found.unit) for value in quantiles),
    )


def _mean(mean: Interval, unit: Unit) -> str:
    half = shown(mean.half_width, "number" if unit == "count" else unit)
    value = shown(mean.mean, "number" if unit == "count" else unit)
    return f"{value} ± {half}"
