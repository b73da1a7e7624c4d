"""`bindrill drill NAME --predict`: thousands of simulated drills, and what they say."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.progress import Progress as Bar

from bindrill.console import plain_console, print_json
from bindrill.errors import EXIT_MET, EXIT_MISSED
from bindrill.option_values import parsed
from bindrill.outputs import output_folder
from reports.drills.prediction import DrillPrediction
from reports.drills.prediction_page import (
    HEADINGS,
    chance_text,
    likely,
    prediction_rows,
    write_prediction,
)
from reports.text_table import aligned
from scenarios.data_size import format_size, parse_size
from scenarios.drill_calibration import SHIPPED, load_drill_calibration
from scenarios.drill_library import load_drill
from scenarios.loader import override
from scenarios.schema import Scenario
from sim.drills.plan import Moment
from sim.drills.prediction import predict


class PredictOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `bindrill drill --predict`, as `bindrill.cli` describes them."""

    out: Path
    drills: int = 10_000
    database_size: str | None = None
    calibration: Path | None = None
    moment: Moment = "any"
    seed: int | None = None
    duration: str | None = None
    rate: str | None = None
    json: bool = False


def predict_drill(name: str, options: PredictOptions) -> int:
    """Simulate many drills, print what they say, write `prediction.json` and `prediction.html`;
    the exit code: met when every objective is met in at least 95 % of the drills.

    Raises the exceptions of `bindrill.errors.user_problems`.
    """
    scenario = override(
        load_drill(name), seed=options.seed, duration=options.duration, rate=options.rate
    )
    calibration = load_drill_calibration(options.calibration or SHIPPED)
    database = None
    if options.database_size is not None:
        database = parsed("--database-size", options.database_size, parse_size)
    console = plain_console(stderr=options.json)
    started = datetime.now(UTC)
    name = f"{scenario.name}-prediction-{started:%Y%m%d-%H%M%S}"
    with (
        output_folder(options.out, name) as folder,
        Bar(console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        task = bar.add_task(f"{options.drills:,} drills", total=1.0)
        found = predict(
            scenario,
            drills=options.drills,
            calibration=calibration,
            database=database,
            moment=options.moment,
            on_progress=lambda share: bar.update(task, completed=share),
        )
        page = write_prediction(found, scenario, folder, command=["bindrill", *sys.argv[1:]])
    for line in prediction_lines(found, scenario):
        console.print(line)
    console.print(f"Written: {page}")
    if options.json:
        print_json(found)
    return EXIT_MET if likely(found) else EXIT_MISSED


def prediction_lines(found: DrillPrediction, scenario: Scenario) -> list[str]:
    """What the command line prints."""
    when = "any moment" if found.moment == "any" else "the time that is written"
    lines = [
        f"{scenario.name}: {found.drills:,} simulated drills, {found.topology}, database of"
        f" {format_size(found.database)}, disaster at {when}, seed {found.seed}",
        *aligned([HEADINGS, *prediction_rows(found)]),
    ]
    lines += [
        f"{each.objective} {each.limit}: {chance_text(each)}"
        for each in (found.recovered, *found.chances)
    ]
    return lines
