"""A run folder from the events that Locust recorded, on one machine or several.

    python -m loadtests.gathered_run SCENARIO FOLDER... [--out runs] [--faults-set]

Each FOLDER was `BINDRILL_EVENTS` in one test: the master's, or those of all workers. Prints the
run's folder, for `bindrill report`. Exit code 2 when they are not one test of the scenario, 97 when
the test did not test it: not everybody came, or nobody set the servers' faults, which Locust by
itself does not (`--faults-set` says that you did).
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from loadtests.settings import UNTESTED
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


def gathered_run(
    scenario: Scenario, folders: Sequence[Path], out: Path, *, faults_set: bool = False
) -> RunFolder:
    """Make a run folder below `out` from the events, acknowledgements and readings below `folders`.
    A run of a scenario whose servers have faults has failed unless they were set (`faults_set`).

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
    unset = [f.label for f in scenario.fault_timeline if f.host != "customer" and not faults_set]
    note = f"nobody set {', '.join(unset)} at the servers; say --faults-set if you did"
    if unset:
        conclude(run, "live", state="failed", wall_seconds=0.0, note=note)
    else:
        conclude(run, "live", state="complete", wall_seconds=0.0)
    return run


def main() -> int:
    """Gather, and print where."""
    parser = argparse.ArgumentParser(prog="loadtests.gathered_run", description=__doc__)
    parser.add_argument("scenario", help="a scenario's file or name")
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--faults-set", action="store_true", help="the servers' faults were set")
    asked = parser.parse_args()
    try:
        run = gathered_run(
            load_scenario(asked.scenario), asked.folders, asked.out, faults_set=asked.faults_set
        )
    except (RunProblem, ScenarioProblems) as problem:
        print(printed_text(str(problem)), file=sys.stderr)
        return 2
    print(printed_text(str(run.path)))
    record = run.record.clocks["live"]
    if record.state == "failed":
        print(printed_text(record.note), file=sys.stderr)
        return UNTESTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
