"""A sweep's folder: `sweep.html`, the picture, and the table as CSV and Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from reports.heatmap import picture
from reports.page import drawing, render
from reports.run_folder import write_whole
from reports.swept import Swept
from reports.table_files import write_table
from scenarios.schema import Scenario
from scenarios.units import format_duration


def write_sweep(
    swept: Swept, scenario: Scenario, folder: Path, *, command: Sequence[str], total: int
) -> Path:
    """Write `sweep.html`, `sweep.png`, `sweep.csv` and `sweep.parquet`; the page's path.

    `command` is what the user typed, `total` the number of points of the whole grid.
    """
    write_table(swept.table(), folder, "sweep")
    drawn = picture(swept)
    write_whole(folder / "sweep.png", drawn.png)
    page = render(
        "sweep.html.j2",
        scenario=scenario,
        swept=swept,
        total=total,
        plot=drawing(drawn.svg),
        table=swept.table(),
        command=" ".join(command),
        written=yaml.safe_dump(
            scenario.model_dump(mode="json", by_alias=True), sort_keys=False, allow_unicode=True
        ),
        format_duration=format_duration,
    )
    path = folder / "sweep.html"
    write_whole(path, page.encode())
    return path
