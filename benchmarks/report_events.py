"""Wall time and memory of the report of 5 million events, against what it may take.

The events are those of real simulations, a quiet one and one with a bank outage in the middle, laid
end to end until there are enough; the no-fault twin is made the same way and counts on top. What is
measured is `bindrill report` on a run that was killed before its summary: it reads every
event, makes the summary, holds it against the twin, and writes the page.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from benchmarks.result import report
from reports.events import SCHEMA
from reports.recorder import scan_events, twin_folder
from reports.run_folder import RunFolder
from scenarios.loader import load_scenario, override
from scenarios.schema import Scenario
from sim.run import run_sim

EVENTS = 5_000_000
PART_ROWS = 50_000
"""As `reports.recorder.Recorder` writes them."""
TILE = 240.0
RATE = "20/s"
MOST_SECONDS = 60.0
MOST_MIB = 1024.0
_TIMES = ("intended", "started", "ended")


def tile(scenario: Scenario, folder: Path) -> pl.DataFrame:
    """The events of one simulation, in order of time."""
    run_sim(scenario, folder)
    return scan_events(folder).sort("ended", "customer", "kind").collect()


def customers(events: pl.DataFrame) -> int:
    """How many arrived."""
    return int((events["kind"] == "arrival").sum())


def write_events(tiles: list[pl.DataFrame], folder: Path, wanted: int) -> int:
    """Lay the tiles end to end, in parts of PART_ROWS; the number of events written."""
    target = folder / "events"
    target.mkdir(parents=True, exist_ok=True)
    held, written, part, first = pl.DataFrame(schema=SCHEMA), 0, 0, 0
    for position, events in enumerate(tiles):
        moved = events.with_columns(
            *(pl.col(name) + position * TILE for name in _TIMES),
            customer=pl.when(pl.col("customer") >= 0)
            .then(pl.col("customer") + first)
            .otherwise(-1),
        )
        first += customers(events)
        held = pl.concat([held, moved]).head(wanted - written)
        while len(held) >= PART_ROWS or (len(held) and written + len(held) == wanted):
            held.head(PART_ROWS).write_parquet(
                target / f"part-0-{part:06d}.parquet", compression="lz4"
            )
            written += min(len(held), PART_ROWS)
            held, part = held.slice(PART_ROWS), part + 1
    return written


def killed_run(base: Path) -> Path:
    """A run folder with EVENTS events, and as many of a twin, whose summary was never made."""
    quiet = override(load_scenario("baseline"), duration=f"{TILE:.0f}s", rate=RATE)
    outage = {"kind": "outage", "target": "bank", "start": TILE / 3, "duration": TILE / 6}
    broken = Scenario.model_validate(
        quiet.model_dump(mode="json", by_alias=True) | {"faults": [outage]}
    )
    calm = tile(quiet, base / "quiet")
    hit = tile(broken, base / "broken")
    tiles = -(-EVENTS // min(len(calm), len(hit)))
    middle = tiles // 2
    outage["start"] = middle * TILE + TILE / 3
    whole = Scenario.model_validate(
        quiet.model_dump(mode="json", by_alias=True)
        | {"faults": [outage], "duration": tiles * TILE}
    )
    run = RunFolder.create(base / "runs", whole, command=["bindrill", "run"])
    folder = run.begin("sim", planned=tiles * customers(calm))
    in_turn = [hit if position == middle else calm for position in range(tiles)]
    assert write_events(in_turn, folder, EVENTS) == EVENTS
    assert write_events([calm] * tiles, twin_folder(folder), EVENTS) == EVENTS
    return run.path


def main() -> int:
    """Print the ratio; 1 when it took longer or more memory than it may."""
    with tempfile.TemporaryDirectory() as folder:
        run = killed_run(Path(folder))
        began = time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, "-m", "bindrill", "report", str(run)], stdout=subprocess.DEVNULL
        )
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        page = (run / "report.html").stat().st_size
    child.returncode = os.waitstatus_to_exitcode(status)
    mib = used.ru_maxrss / (1024 if sys.platform == "linux" else 2**20)
    report(
        "report_seconds_of_5_million_events_against_60",
        seconds / MOST_SECONDS,
        seconds=round(seconds, 1),
        cpu_seconds=round(used.ru_utime + used.ru_stime, 1),
        peak_mib=round(mib),
        peak_against_1_gib=round(mib / MOST_MIB, 2),
        events=EVENTS,
        twin_events=EVENTS,
        page_kib=page // 1024,
    )
    return 0 if seconds <= MOST_SECONDS and mib <= MOST_MIB else 1


if __name__ == "__main__":
    sys.exit(main())
