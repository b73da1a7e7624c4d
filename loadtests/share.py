"""One load-generator process's share of a test: its customers, and where their events go."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import gevent
import msgspec
from locust.env import Environment

from loadtests.client import Client
from loadtests.clock import RunClock
from loadtests.crowd import Crowd
from loadtests.handset import Handset
from loadtests.one_step import OneStep
from loadtests.player import Player
from loadtests.tally import Tally
from mocks.fault_timeline import FaultTimeline
from reports.drills.history import Acknowledgement, AcknowledgementLog
from reports.events import Row
from reports.recorder import Recorder
from scenarios.arrivals import arrival_times
from scenarios.ceilings.exhaustion import note_exhaustion
from scenarios.ceilings.met import Met
from scenarios.ceilings.readings import Reading, ReadingsFile, readings_path
from scenarios.ceilings.watch import Watch
from scenarios.directives import Ending
from scenarios.journey import journey
from scenarios.keyed import Keyed
from scenarios.population import Population
from scenarios.schema import Scenario

T = TypeVar("T")

logger = logging.getLogger(__name__)

FLUSH_INTERVAL = 5.0
"""Seconds of events that a kill may lose."""


class Refused(Exception):
    """A request did not end with OK, as Locust lists failures: by the answer's code alone."""

    def __repr__(self) -> str:
        return str(self)


class Share:
    """Every `workers`-th customer of `scenario`, counted from `place`: two processes never play the
    same one. Requests count in the statistics of `environment`, whose host is the lender, `foreign`
    where it is a team's own; events, acknowledgements and the process's readings of itself go below
    `events`, if given; with `hand_over`, they wait for `take_events`, `take_acknowledgements` and
    `take_readings` instead.
    """

    def __init__(
        self,
        environment: Environment,
        scenario: Scenario,
        clock: RunClock,
        place: int,
        workers: int,
        sms_url: str,
        events: Path | None,
        *,
        foreign: bool = False,
        hand_over: bool = False,
    ) -> None:
        self.taken = False
        """Whether a Locust user plays it already."""
        self._requests: Any = environment.events.request  # Locust's hooks have no types
        self._statistics = environment.stats
        self._scenario = scenario
        self._place = place
        self._workers = workers
        self._lender = Client(environment.host or "")
        self._handset = Handset(sms_url)
        self._population = Population(scenario.population, scenario.seed)
        self._keyed = Keyed(scenario.seed)
        self._recorder = Recorder(events, worker=str(place)) if events else None
        self._log = AcknowledgementLog(events, str(place)) if events else None
        self._events: list[Row] = []
        self._acknowledgements: list[Acknowledgement] = []
        self._readings: list[Reading] = []
        record: Callable[[Row], None] = _unseen
        tell: Callable[[Acknowledgement], None] | None = None
        if self._recorder is not None and self._log is not None:
            record, tell = self._recorder.add, self._log.add
        elif hand_over:
            record, tell = self._events.append, self._acknowledgements.append
        self._flusher = gevent.spawn(self._flush_now_and_then)
        self._way = way = FaultTimeline(self._keyed)
        for fault in scenario.fault_timeline:
            if fault.host == "customer":
                way.put(fault)
        self._one_step = OneStep(foreign=foreign)
        self._player = Player(
            self._lender,
            self._handset,
            clock,
            record,
            self._measured,
            way,
            tell,
            self._one_step,
        )
        self.crowd = Crowd(self._arrivals(), self._play, clock, self._ended)
        process = "load generator" if workers == 1 else f"load generator {place}"
        self._readings_file = ReadingsFile(readings_path(events, process)) if events else None
        keep: Callable[[Reading], None] = _unseen
        if self._readings_file is not None:
            keep = self._readings_file.add
        elif hand_over:
            keep = self._readings.append
        self._watch = Watch(
            "load generator",
            process,
            keep,
            met=_say,
            lateness=self.crowd.take_lateness,
            origin=clock.origin,
        )
        self._watcher = gevent.spawn(self._watch_itself)

    @property
    def tally(self) -> Tally:
        """How its customers stand."""
        passed = tuple(sorted(self._one_step.passed))
        return msgspec.structs.replace(
            self.crowd.tally,
            stuck=self._one_step.stuck,
            passed=passed,
            struck={each.fault.label: each.struck for each in self._way.listed(0.0)},
        )

    def close(self) -> None:
        """Stop what is under way and write the last events."""
        self.crowd.stop()
        self._flusher.kill()
        self._watcher.kill()
        self._watch.look()
        self._lender.close()
        self._handset.close()
        if self._recorder is not None:
            self._recorder.close()
        if self._log is not None:
            self._log.close()
        if self._readings_file is not None:
            self._readings_file.close()

    def take_events(self) -> list[Row]:
        """The events since the last time, for another process to record."""
        return _taken(self._events)

    def take_acknowledgements(self) -> list[Acknowledgement]:
        """What customers were told since the last time, for another process to write down."""
        return _taken(self._acknowledgements)

    def take_readings(self) -> list[Reading]:
        """What this process saw of itself since the last time, for another to write down."""
        return _taken(self._readings)

    def _arrivals(self) -> Iterator[tuple[int, float]]:
        scenario = self._scenario
        times = arrival_times(scenario.arrivals, scenario.seed, scenario.duration)
        for number, planned in enumerate(times):
            if number % self._workers == self._place:
                yield number, planned

    def _play(self, number: int, planned: float) -> Ending:
        customer = self._population.customer(number)
        return self._player.play(number, planned, journey(customer, self._scenario, self._keyed))

    def _measured(self, op: str, latency: float, length: int, code: str) -> None:
        self._requests.fire(
            request_type="STEP",
            name=op,
            response_time=latency * 1000,
            response_length=length,
            exception=None if code == "OK" else Refused(code),
            context={},
        )

    def _ended(self, state: str, seconds: float) -> None:
        # Into the table of requests, but not into its total: a journey is not a request.
        self._statistics.get(state, "ENDING").log(round(seconds * 1000), 0)

    def _flush_now_and_then(self) -> None:
        while self._recorder is not None:
            gevent.sleep(FLUSH_INTERVAL)
            try:
                self._recorder.flush()
            except OSError as error:
                if not note_exhaustion(error):
                    raise
                # No file to be had: the events wait for the next time.

    def _watch_itself(self) -> None:
        for seconds in self._watch.beats():
            gevent.sleep(seconds)


def _taken(held: list[T]) -> list[T]:
    # The list itself stays: whoever adds to it knows no other.
    taken = held.copy()
    held.clear()
    return taken


def _unseen(_: object) -> None:
    """Nobody records."""


def _say(met: Met) -> None:
    logger.warning("the testbed is at its limit: %s of this process, %s", met.ceiling, met.detail)
