"""A run folder from the events that Locust recorded, on one machine or several.

    python -m loadtests.gathered_run SCENARIO FOLDER... [--out runs]

Each FOLDER was `BINDRILL_EVENTS` in one test: the master's, or those of all workers. Prints the
run's folder, for `bindrill report`. Exit code 2 when they are not one test of the scenario.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from reports.drills.history import FOLDER as ACKNOWLEDGEMENTS
from reports.recorder import scan_events
from reports.run_folder import RunFolder, RunProblem
from reports.verdict import conclude
from scenarios.arrivals import arrival_times
from scenarios.ceilings.readings import FOLDER as READINGS
from scenarios.loader import load_scenario
from scenarios.printed_text import printed_text
from scenarios.problems import ScenarioProblems
from scenarios.schema import Scenario


def gathered_run(scenario: Scenario, folders: Sequence[Path], out: Path) -> RunFolder:
    """Make a run folder below `out` from the events, acknowledgements and readings below `folders`.

    Raises RunProblem when they hold no events, a customer twice, or one whom the scenario does not
    plan: then they are of several tests, or of another scenario.
    """
    frames = [scan_events(folder).filter(pl.col("kind") == "arrival") for folder in folders]
    arrivals = pl.concat(frames).select("customer", "intended").sort("customer").collect()
    if arrivals.is_empty():
        raise RunProblem(f"{folders[0]} holds no arrivals; give a folder that was BINDRILL_EVENTS")
    times = list(arrival_times(scenario.arrivals, scenario.seed, scenario.duration))
    numbers = arrivals["customer"]
    if numbers.is_duplicated().any():
        raise RunProblem(f"{folders[0]}: customers came twice; give the events of one test alone")
    if any(n >= len(times) or abs(times[n] - at) > 1e-6 for n, at in arrivals.rows()):
        raise RunProblem(f"{folders[0]}: these are not the customers of {scenario.name}")
    run = RunFolder.create(out, scenario, command=["python", "-m", "loadtests.gathered_run"])
    live = run.begin("live", planned=len(times))
    (live / "events").mkdir()
    (live / ACKNOWLEDGEMENTS).mkdir()
    (live / READINGS).mkdir()
    for position, folder in enumerate(folders):
        for part in sorted((folder / "events").glob("part-*.parquet")):
            name = part.name.removeprefix("part-")
            shutil.copyfile(part, live / "events" / f"part-{position}-{name}")
        for log in sorted((folder / ACKNOWLEDGEMENTS).glob("*.jsonl")):
            shutil.copyfile(log, live / ACKNOWLEDGEMENTS / f"{position}-{log.name}")
        for readings in sorted((folder / READINGS).glob("*.jsonl")):
            shutil.copyfile(readings, live / READINGS / f"{position}-{readings.name}")
    conclude(run, "live", state="complete", wall_seconds=0.0)
    return run


def main() -> int:
    """Gather, and print where."""
    parser = argparse.ArgumentParser(prog="loadtests.gathered_run", description=__doc__)
    parser.add_argument("scenario", help="a scenario's file or name")
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--out", type=Path, default=Path("runs"))
    asked = parser.parse_args()
    try:
        run = gathered_run(load_scenario(asked.scenario), asked.folders, asked.out)
    except (RunProblem, ScenarioProblems) as problem:
        print(printed_text(str(problem)), file=sys.stderr)
        return 2
    print(printed_text(str(run.path)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
