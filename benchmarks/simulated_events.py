"""Simulated events a second against a bare SimPy loop of coroutines that does as many.

Also whole journeys a second: the figure that says how long a day takes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from simpy import Environment

from benchmarks.result import report
from scenarios.loader import load_scenario, override
from sim.clock import start, wait
from sim.run import play

DURATION = "20m"
RATE = "5/s"
BARE_EVENTS = 200_000
"""Of the bare loop, before and after the simulation: other work on the machine slows both alike."""


def scheduled(env: Environment) -> int:
    """How many events an environment has scheduled."""
    return next(env._eid)


def bare(events: int) -> float:
    """Processor seconds of `events` timeouts in coroutines, 100 at a time."""
    env = Environment()

    async def loop(count: int) -> None:
        for _ in range(count):
            await wait(env.timeout(1.0))

    for _ in range(100):
        start(loop(events // 100))
    began = time.process_time()
    env.run()
    return time.process_time() - began


def main() -> int:
    """Print the ratio."""
    scenario = override(load_scenario("baseline"), duration=DURATION, rate=RATE)
    with tempfile.TemporaryDirectory() as folder:
        env = Environment()
        before = bare(BARE_EVENTS)
        began = time.process_time()
        result = play(env, scenario, Path(folder))
        seconds = time.process_time() - began
        after = bare(BARE_EVENTS)
    events = scheduled(env)
    bare_rate = 2 * BARE_EVENTS / (before + after)
    report(
        "simulated_events_per_second_against_bare_simpy",
        events / seconds / bare_rate,
        events=events,
        events_per_second=round(events / seconds),
        bare_events_per_second=round(bare_rate),
        journeys_per_second=round(result.customers / seconds),
        events_per_journey=round(events / max(1, result.customers), 1),
        bare_events_that_a_journey_costs=round(seconds * bare_rate / max(1, result.customers)),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
