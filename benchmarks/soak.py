"""An incident through the whole stack for minutes: memory, processes, acknowledged bindings.

    python -m benchmarks.soak --minutes 10

The incident strikes again and again. Fails when the memory of a process grows beyond the bound
after the warm-up, when a process or a port stays behind, or when a customer who was told ACTIVE is
not ACTIVE in the database. Growth is not leak alone: gateways and lender keep orders, and their
feeds fill up to 100,000 entries.
"""

from __future__ import annotations

import argparse
import socket
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import ceil
from pathlib import Path
from statistics import linear_regression, median
from typing import Any
from urllib.parse import urlsplit

import polars as pl
import psutil

from benchmarks.result import report
from bindrill.console import plain_console
from bindrill.display import Display
from loadtests.live_run import LiveResult, run_live
from mocks.lender.database_url import sqlite_url
from mocks.lender.key_ring import KeyRing
from mocks.lender.records import Binding
from mocks.lender.sql_store import SqlStore
from mocks.lender.vault import AesGcmVault
from reports.recorder import scan_events
from scenarios.loader import load_scenario
from scenarios.population import Population
from scenarios.schema import Scenario

BOUND = 48.0
"""MiB by which a process may grow from the end of the warm-up to the end of the run."""
PERIOD = 120.0
"""Seconds after which the incident comes again."""
WARM_UP = 120.0
"""Seconds that the growth does not count in; a third of a shorter run."""
INTERVAL = 2.0
"""Seconds between looks at the processes."""
MIB = 2**20


class Memory(threading.Thread):
    """Watches the resident memory of this process and all that it started, by what they are."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.samples: dict[str, list[tuple[float, float]]] = defaultdict(list)
        """Seconds since the start and MiB."""
        self.seen: set[psutil.Process] = set()
        """Every process that was started."""
        self._over = threading.Event()
        self._began = time.monotonic()

    def run(self) -> None:
        while not self._over.wait(INTERVAL):
            self._look()

    def end(self) -> None:
        """Look no more."""
        self._over.set()
        self.join()

    def _look(self) -> None:
        now = time.monotonic() - self._began
        this = psutil.Process()
        self._sample("steering", this, now)
        for process in this.children(recursive=True):
            self.seen.add(process)
            try:
                self._sample(_what(process.cmdline()), process, now)
            except psutil.Error:
                continue  # it has just ended

    def _sample(self, what: str, process: psutil.Process, now: float) -> None:
        self.samples[what].append((now, process.memory_info().rss / MIB))


def _what(command: Sequence[str]) -> str:
    for name in ("gateways", "lender"):
        if any(part.endswith(f"{name}-options.json") for part in command):
            return name
    return "locust" if "locust" in command else "other"


def growth(samples: Sequence[tuple[float, float]], warm_up: float) -> tuple[float, float] | None:
    """MiB from the first to the last tenth of the samples after `warm_up` seconds, and the slope
    of a line through them in MiB an hour; None of fewer than ten samples."""
    after = [(at, mib) for at, mib in samples if at >= warm_up]
    if len(after) < 10:
        return None
    tenth = max(3, len(after) // 10)
    first, last = (median(mib for _, mib in part) for part in (after[:tenth], after[-tenth:]))
    slope, _ = linear_regression(*zip(*after, strict=True))
    return last - first, slope * 3600


def recurring(scenario: Scenario, duration: float) -> Scenario:
    """The scenario over `duration` seconds, with its faults again every PERIOD."""
    faults = [
        fault.model_copy(
            update={"start": fault.start + (nth - 1) * PERIOD, "name": f"{fault.label}-{nth}"}
        )
        for nth in range(1, ceil(duration / PERIOD) + 1)
        for fault in scenario.faults
        if fault.end + (nth - 1) * PERIOD < duration
    ]
    data = scenario.model_dump(mode="json", by_alias=True, exclude={"variants", "objectives"})
    data |= {
        "duration": duration,
        "faults": [fault.model_dump(mode="json", exclude_none=True) for fault in faults],
    }
    return Scenario.model_validate(data)


def told_active(folder: Path) -> list[int]:
    """Customers who were told that their binding is ACTIVE."""
    ends = scan_events(folder).filter((pl.col("kind") == "end") & (pl.col("state") == "ACTIVE"))
    return sorted(set(ends.select("customer").collect()["customer"].to_list()))


def lost(customers: Iterable[int], scenario: Scenario, folder: Path) -> list[int]:
    """Those of `customers` without an ACTIVE binding of their card in the lender's database."""
    vault = AesGcmVault(KeyRing.load(folder / "keys.json"))
    store = SqlStore(sqlite_url(folder / "lender.db"))
    try:
        active = {each.card_index for each in store.records(Binding) if each.state == "ACTIVE"}
    finally:
        store.close()
    population = Population(scenario.population, scenario.seed)
    return [
        number
        for number in customers
        if vault.blind_index(population.customer(number).card_number, "card_number") not in active
    ]


def still_bound(urls: Iterable[str]) -> list[str]:
    """Servers that still accept connections."""
    found = []
    for url in urls:
        parts = urlsplit(url)
        with socket.socket() as probe:
            probe.settimeout(5)
            if probe.connect_ex((parts.hostname or "", parts.port or 0)) == 0:
                found.append(url)
    return found


def soak(scenario: Scenario, folder: Path, bound: float) -> tuple[float, dict[str, Any], list[str]]:
    """Play it; the worst growth in MiB, figures for the result, and what is wrong."""
    warm_up = min(WARM_UP, scenario.duration / 3)
    memory = Memory()
    memory.start()
    try:
        with Display(plain_console(stderr=True)) as display:
            result: LiveResult = run_live(scenario, folder, on_progress=display.show)
    finally:
        memory.end()
    _, orphans = psutil.wait_procs(memory.seen, timeout=5)
    ports = still_bound(result.urls.values())
    told = told_active(folder)
    gone = lost(told, scenario, folder)
    grown = {
        what: found
        for what, samples in sorted(memory.samples.items())
        if (found := growth(samples, warm_up)) is not None
    }
    worst = max((mib for mib, _ in grown.values()), default=0.0)
    wrong = [
        f"{what} grew by {mib:.1f} MiB, more than {bound:g}"
        for what, (mib, _) in grown.items()
        if mib > bound
    ]
    unseen = {"gateways", "lender", "locust"} - grown.keys()
    wrong += [f"too few looks at {what}" for what in sorted(unseen)]
    wrong += [f"process {process.pid} stayed behind" for process in orphans]
    wrong += [f"{url} still listens" for url in ports]
    wrong += [f"customer {number} was told ACTIVE and is not" for number in gone]
    if result.state != "complete":
        wrong.append("the run was interrupted")
    if not told:
        wrong.append("nobody was bound")
    figures = {
        "minutes": round(scenario.duration / 60, 2),
        "incidents": len(scenario.faults),
        "warm_up_seconds": round(warm_up),
        "growth_mib": {what: round(mib, 1) for what, (mib, _) in grown.items()},
        "growth_mib_per_hour": {what: round(slope, 1) for what, (_, slope) in grown.items()},
        "peak_mib": {
            what: round(max(mib for _, mib in samples), 1)
            for what, samples in sorted(memory.samples.items())
        },
        "told_active": len(told),
        "lost_active": len(gone),
        "orphans": len(orphans),
        "bound_ports": len(ports),
    }
    return worst, figures, wrong


def main() -> int:
    """Print the growth of the worst process against the bound; 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long customers arrive")
    parser.add_argument("--scenario", default="bank-outage", help="the incident")
    parser.add_argument("--bound", type=float, default=BOUND, help="MiB a process may grow by")
    options = parser.parse_args()
    if not 0.5 <= options.minutes <= 24 * 60:
        parser.error("--minutes takes 0.5 to 1440")
    scenario = recurring(load_scenario(options.scenario), options.minutes * 60)
    with tempfile.TemporaryDirectory(prefix="bindrill-") as folder:
        worst, figures, wrong = soak(scenario, Path(folder), options.bound)
    report(
        "soak_memory_growth_against_bound",
        worst / options.bound,
        bound_mib=options.bound,
        **figures,
        wrong=wrong,
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
