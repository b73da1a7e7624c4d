"""A slice of a whole day in virtual time: 50 customers a second at their own pace.

    python -m benchmarks.day            # 10 minutes of the day
    python -m benchmarks.day 24h        # all of it; an hour of processor time
    python -m benchmarks.day 1h 20/s    # at another rate

Prints a line every so often, and at the end what `benchmarks.simulated_events` prints, with the
peaks of memory: journeys and events a second of processor time, against a bare SimPy loop of
coroutines in the same run.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import psutil
from simpy import Environment

from benchmarks.result import report
from benchmarks.simulated_events import BARE_EVENTS, bare, scheduled
from reports.progress import Progress
from reports.summary import summarise
from reports.summary_schema import Summary
from scenarios.loader import load_scenario, override
from scenarios.schema import Scenario
from scenarios.variants import changed
from sim.run import play

DURATION, RATE = "10m", "50/s"
LINES = 12


def day() -> Scenario:
    """The baseline at the pace of life: what its own file says for runs of hours."""
    return changed(
        load_scenario("baseline"),
        {
            "drain": "1h",
            "journey.pace": 1,
            "world.sms.limits.minute": 1,
            "world.payment.notifications.speedup": 1,
        },
    )


def main() -> int:
    """Play the slice and print its figures."""
    duration, rate = (*sys.argv[1:3], *(DURATION, RATE)[len(sys.argv) - 1 :])
    scenario = override(day(), duration=duration, rate=rate)
    process = psutil.Process()
    before = bare(BARE_EVENTS)
    began, told = time.process_time(), 0.0

    def tell(now: Progress) -> None:
        nonlocal told
        if now.now - told < scenario.duration / LINES:
            return
        told = now.now
        seconds = time.process_time() - began
        print(
            f"{now.now / 60:7.1f} min: {now.arrivals:,} customers, {now.ended / seconds:,.0f} a"
            f" second of processor time, {process.memory_info().rss / 2**20:,.0f} MiB in use",
            flush=True,
        )

    with tempfile.TemporaryDirectory() as folder:
        env = Environment()
        result = play(env, scenario, Path(folder), tell)
        seconds = time.process_time() - began
        # In a process of its own, so that each peak is that of its own work.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
            summary, summary_peak = apart.submit(_summarised, Path(folder), scenario).result()
    events = scheduled(env)
    bare_rate = 2 * BARE_EVENTS / (before + bare(BARE_EVENTS))
    report(
        "day_events_per_second_against_bare_simpy",
        events / seconds / bare_rate,
        duration=duration,
        rate=rate,
        customers=result.customers,
        active=summary.states.get("ACTIVE", 0),
        journeys_per_second=round(result.customers / seconds),
        events_per_journey=round(events / max(1, result.customers), 1),
        bare_events_that_a_journey_costs=round(seconds * bare_rate / max(1, result.customers)),
        bare_events_per_second=round(bare_rate),
        processor_seconds=round(seconds, 1),
        peak_mib=_peak(),
        summary_peak_mib=summary_peak,
    )
    return 0


def _summarised(folder: Path, scenario: Scenario) -> tuple[Summary, int]:
    return summarise(folder, scenario), _peak()


def _peak() -> int:
    """The most memory that this process has had, in MiB. (That of `getrusage` would count what its
    parent had when it began.)"""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 2**10)


if __name__ == "__main__":
    sys.exit(main())
