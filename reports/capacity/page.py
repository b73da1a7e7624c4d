"""`capacity.html`: the answer first, then plots, models and every measure, on one page."""

from __future__ import annotations

from pathlib import Path

import yaml

from reports.capacity import plots, words
from reports.capacity.result import Capacity, write_capacity
from reports.page import drawing, render
from reports.plots import Plot
from reports.verdict import CLOCK_NAMES
from scenarios.schema import Scenario
from scenarios.units import format_duration
from scenarios.whole_file import write_whole

PAGE = "capacity.html"


def write_page(capacity: Capacity, scenario: Scenario, folder: Path) -> Path:
    """Write `capacity.json` and `capacity.html`; the page's path."""
    write_capacity(capacity, folder)
    page = render(
        "capacity.html.j2",
        capacity=capacity,
        words=words,
        names=CLOCK_NAMES,
        plots=_plots(capacity),
        models=words.model_rows(capacity),
        floors=[text for text in scenario.objectives if text.strip().startswith("throughput")],
        written=yaml.safe_dump(
            scenario.model_dump(mode="json", by_alias=True), sort_keys=False, allow_unicode=True
        ),
        format_duration=format_duration,
    )
    path = folder / PAGE
    write_whole(path, page.encode())
    return path


def _plots(capacity: Capacity) -> list[Plot]:
    limits = [limit for limit in capacity.limits if limit.measures]
    if not limits:
        return []
    dots = "A dot is one measure, hollow where an objective failed; the band is the limit."
    return [
        Plot(
            title="Throughput against offered load",
            caption=f"Bindings that became ACTIVE a second, in the second half of the time. {dots}",
            svg=drawing(plots.throughput(limits)),
        ),
        Plot(
            title="Latency against offered load",
            caption="All requests of customers, from the intended start; logarithmic.",
            svg=drawing(plots.latency(limits)),
        ),
        Plot(
            title="Utilisation against offered load",
            caption="Of the busiest resources, in the second half of the time.",
            svg=drawing(plots.utilisation(limits)),
        ),
        Plot(
            title="Throughput against requests in progress",
            caption="With the Universal Scalability Law fitted to each clock.",
            svg=drawing(plots.law(limits)),
            wide=False,
        ),
    ]
