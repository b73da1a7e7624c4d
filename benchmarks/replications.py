"""Replications on two cores: wall time of 8 with two jobs against one job, and against one alone.

The ratio is 2 where both cores are free and nothing is shared; the start of the two processes, some
seconds of importing, is counted.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from benchmarks.result import report
from scenarios.loader import load_scenario, override
from scenarios.schema import Scenario
from sim.executor import cores, local_executor
from sim.replications import Part, replicate

DURATION = "4m"
RATE = "6/s"
WANTED = 8


def seconds(scenario: Scenario, wanted: int, jobs: int) -> float:
    """Wall time of so many replications with so many jobs."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        with local_executor(jobs) as executor:
            replicate(
                [Part(scenario, Path(folder) / "sim")],
                wanted,
                executor,
                scratch=Path(folder) / "scratch",
                ahead=2 * jobs if jobs > 1 else 1,
            )
        return time.perf_counter() - began


def main() -> int:
    """Print the ratio."""
    scenario = override(load_scenario("baseline"), duration=DURATION, rate=RATE)
    seconds(scenario, 1, 1)  # imports and caches
    alone = seconds(scenario, 1, 1)
    in_turn = seconds(scenario, WANTED, 1)
    together = seconds(scenario, WANTED, 2)
    report(
        "wall_time_of_8_replications_with_1_job_against_2",
        in_turn / together,
        one_replication_seconds=round(alone, 2),
        one_job_seconds=round(in_turn, 2),
        two_jobs_seconds=round(together, 2),
        two_jobs_against_one_replication=round(together / alone, 2),
        cores=cores(),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
