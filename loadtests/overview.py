"""The whole run as seen from the process that steers it: all load-generator processes together."""

from __future__ import annotations

from collections import Counter, deque
from pathlib import Path

import msgspec

from loadtests.clock import RunClock
from loadtests.one_step import ENOUGH, Stuck, explained, joined
from loadtests.tally import Tally
from reports.progress import Progress
from reports.untested import shortfall
from scenarios.arrivals import arrival_count
from scenarios.schema import Scenario

WINDOW = 10.0
"""Seconds over which throughput is counted; worker processes report every 3 seconds."""


class Look(msgspec.Struct, frozen=True):
    """One line of the progress file: when the schedule started (seconds since the epoch), how the
    run stands, how many journeys broke off by an error of ours, whether the run is over, the first
    such error, where all customers so far are stuck, if they are, how many are planned, and how
    often the faults on the customers' way have struck."""

    origin: float
    progress: Progress
    crashed: int
    over: bool
    crash: str = ""
    stuck: Stuck | None = None
    planned: int = 0
    struck: dict[str, int] = {}

    @property
    def why_failed(self) -> str:
        """Why a run that ended like this did not test what it was to test; empty if it did."""
        if self.stuck is not None:
            return self.stuck.line
        return shortfall(self.progress.arrivals, self.planned) if self.over else ""


class Overview:
    """Adds up the tallies of `workers` processes on one schedule."""

    def __init__(self, scenario: Scenario, clock: RunClock, workers: int) -> None:
        self.workers = workers
        self.until = scenario.duration + scenario.drain
        self._scenario = scenario
        self._clock = clock
        self._tallies: dict[str, Tally] = {}
        self._planned = arrival_count(scenario.arrivals, scenario.seed, scenario.duration)
        self._history: deque[tuple[float, int]] = deque([(0.0, 0)])

    def update(self, worker: str, tally: Tally) -> None:
        """Take the newest counts of one process."""
        self._tallies[worker] = tally

    @property
    def over(self) -> bool:
        """Whether the time is up, every journey has ended, or none gets beyond one step."""
        tallies = self._tallies.values()
        all_ended = len(tallies) >= self.workers and all(tally.over for tally in tallies)
        hopeless = self.stuck is not None and self.stuck.customers >= ENOUGH
        return all_ended or hopeless or self._clock.now() >= self.until

    @property
    def stuck(self) -> Stuck | None:
        """The step at which every customer who ended has failed, with nobody beyond it and no fault
        to explain it."""
        tallies = self._tallies.values()
        ended = sum(tally.ended for tally in tallies)
        found = joined([(tally.stuck, tally.passed) for tally in tallies], ended)
        if found is None or explained(found, self._scenario.fault_timeline, self._clock.now()):
            return None
        return found

    def look(self, p95: float) -> Look:
        """The run now; `p95` is the step latency in seconds."""
        now = self._clock.now()
        active = sum(tally.active for tally in self._tallies.values())
        self._history.append((now, active))
        while len(self._history) > 2 and self._history[1][0] <= now - WINDOW:
            self._history.popleft()
        then, active_then = self._history[0]
        progress = Progress(
            clock="live",
            now=max(0.0, now),
            until=self.until,
            arrivals=sum(tally.arrivals for tally in self._tallies.values()),
            active=active,
            ended=sum(tally.ended for tally in self._tallies.values()),
            throughput=(active - active_then) / (now - then) if now > then else 0.0,
            p95=p95,
            faults=tuple(f.label for f in self._scenario.fault_timeline if f.in_force(now)),
        )
        crashed = sum(tally.crashed for tally in self._tallies.values())
        crash = next((tally.crash for tally in self._tallies.values() if tally.crash), "")
        struck: Counter[str] = Counter()
        for tally in self._tallies.values():
            struck.update(tally.struck)
        return Look(
            self._clock.origin,
            progress,
            crashed,
            self.over,
            crash,
            self.stuck,
            self._planned,
            dict(struck),
        )


class ProgressFile:
    """Looks, one JSON line each, for whoever started the run."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")

    def write(self, look: Look) -> None:
        """Append one look."""
        self._file.write(msgspec.json.encode(look) + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class ProgressReader:
    """Follows a progress file that another process writes, also before there is one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0

    def new(self) -> list[Look]:
        """The looks since the last time."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._position)
                lines = file.read()
        except FileNotFoundError:
            return []
        whole = lines[: lines.rfind(b"\n") + 1]
        self._position += len(whole)
        return [msgspec.json.decode(line, type=Look) for line in whole.splitlines()]
