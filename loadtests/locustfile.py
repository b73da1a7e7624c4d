"""Card-binding customers for Locust, on a scenario's open schedule of arrivals.

    locust -f loadtests/locustfile.py --host http://127.0.0.1:8080

`--host` is the lender; `loadtests.settings.Settings` lists the environment variables. Works with
Locust's web page, with `--headless`, with `--processes N`, and with masters and workers on several
machines. Locust counts one user a process: that user issues the process's share of the arrivals,
each customer in a greenlet of their own.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from typing import Any

import gevent
import msgspec
from locust import LoadTestShape, events, task
from locust.contrib.fasthttp import FastHttpUser
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from loadtests.clock import RunClock
from loadtests.overview import Look, Overview, ProgressFile
from loadtests.settings import UNTESTED, Settings
from loadtests.share import FLUSH_INTERVAL, Share
from loadtests.tally import Tally
from reports.drills.history import Acknowledgement, AcknowledgementLog
from reports.events import Row
from reports.recorder import Recorder
from scenarios.addresses import AddressProblem, server_url
from scenarios.ceilings.readings import Reading, ReadingsFile, readings_path
from scenarios.ceilings.soft_limits import raise_soft_limits
from scenarios.ceilings.watch import Watch
from scenarios.loader import load_scenario
from scenarios.problems import ScenarioProblems

raise_soft_limits()

LEAD = 1.0
"""Seconds from the test's start to the schedule's, so that every process is there in time."""
LOCAL = "local"
GATHERED = "gathered"

try:
    SETTINGS = Settings.from_environment()
    SCENARIO = load_scenario(SETTINGS.scenario)
except (ScenarioProblems, ValueError) as problem:
    sys.exit(str(problem))


class Test:
    """The test under way in this process: a share of it where customers are played, an overview of
    it where it is steered; without worker processes both are in one place."""

    running = False
    share: Share | None = None
    overview: Overview | None = None
    gathered: Recorder | None = None
    told: AcknowledgementLog | None = None
    readings: ReadingsFile | None = None
    """These take the events, acknowledgements and readings of worker processes that have no
    folder."""
    watch: Watch | None = None
    """Of the process that steers others; those that play watch themselves in their share."""
    progress = ProgressFile(SETTINGS.progress) if SETTINGS.progress else None


class CardBinder(FastHttpUser):
    """Issues this process's share of the arrivals."""

    @task
    def issue(self) -> None:
        """Block until every journey of this process has ended, or the test is stopped."""
        share = Test.share
        if share is None or share.taken:
            raise StopUser  # the user of a lost process moved here: its customers stay lost
        share.taken = True
        share.crowd.issue()
        raise StopUser


class ScenarioShape(LoadTestShape):
    """One user for each process until the scenario's duration and drain have passed, or until the
    last journey has ended."""

    def tick(self) -> tuple[int, float] | None:
        """Locust asks once a second."""
        if not Test.running or Test.overview is None:
            users = len(_players(self.runner.environment)) if self.runner else 0
            return users, max(1, users)
        if Test.overview.over:
            return None
        return Test.overview.workers, Test.overview.workers


def _players(environment: Environment) -> list[str]:
    """The names of the processes that play customers, in order of their connecting."""
    if not isinstance(environment.runner, MasterRunner):
        return [LOCAL]
    clients = environment.runner.clients
    return [client.id for client in clients.ready + clients.spawning + clients.running]


def start(environment: Environment, **_: Any) -> None:
    """Agree on the schedule's start and on who plays whom."""
    options: Any = environment.parsed_options
    runner: Any = environment.runner
    if not isinstance(runner, WorkerRunner):
        players = _players(environment)
        # Locust hands its options on to the worker processes with the order to start.
        options.bindrill_origin = SETTINGS.origin or time.time() + LEAD
        options.bindrill_places = {player: place for place, player in enumerate(players)}
        Test.overview = Overview(SCENARIO, RunClock(options.bindrill_origin), len(players))
        options.bindrill_gather = SETTINGS.events is not None
        if SETTINGS.events is not None and isinstance(runner, MasterRunner):
            Test.gathered = Recorder(SETTINGS.events, worker=GATHERED)
            Test.told = AcknowledgementLog(SETTINGS.events, GATHERED)
            Test.readings = ReadingsFile(readings_path(SETTINGS.events, GATHERED))
            Test.watch = Watch("bindrill", "Locust master", Test.readings.add)
        if options.headless:
            # Locust itself heeds SIGTERM only once a test with a shape is over.
            gevent.signal_handler(signal.SIGTERM, runner.quit)
    if not isinstance(runner, MasterRunner):
        places: dict[str, int] = options.bindrill_places
        place = places.get(runner.client_id if isinstance(runner, WorkerRunner) else LOCAL)
        Test.share = (
            None
            if place is None
            else Share(
                environment,
                SCENARIO,
                RunClock(options.bindrill_origin),
                place,
                len(places),
                SETTINGS.sms_url,
                SETTINGS.events,
                foreign=SETTINGS.foreign,
                hand_over=options.bindrill_gather,
            )
        )
    Test.running = True
    if Test.overview is not None:
        gevent.spawn(_look_every_second, environment)


def stop(environment: Environment, **_: Any) -> None:
    """Stop the journeys under way and write the last events."""
    Test.running = False
    if Test.share is not None:
        Test.share.close()


def report(client_id: str, data: dict[str, Any]) -> None:
    """Send the newest counts along with Locust's own, and what waits for the master to record."""
    if Test.share is not None:
        data["tally"] = msgspec.to_builtins(Test.share.tally)
        data["events"] = Test.share.take_events()
        data["acknowledgements"] = msgspec.to_builtins(Test.share.take_acknowledgements())
        data["readings"] = msgspec.to_builtins(Test.share.take_readings())


def reported(client_id: str, data: dict[str, Any]) -> None:
    """Take a worker's counts, events, acknowledgements and readings."""
    if Test.overview is not None and "tally" in data:
        Test.overview.update(client_id, msgspec.convert(data["tally"], Tally))
    if Test.gathered is not None:
        for row in msgspec.convert(data.get("events", []), list[Row]):
            Test.gathered.add(row)
    if Test.told is not None:
        for told in msgspec.convert(data.get("acknowledgements", []), list[Acknowledgement]):
            Test.told.add(told)
    if Test.readings is not None:
        for reading in msgspec.convert(data.get("readings", []), list[Reading]):
            Test.readings.add(reading)


def quitting(environment: Environment, **_: Any) -> None:
    """The last look, with the last reports of worker processes; and what it failed to test."""
    if Test.overview is not None:
        look = _look(environment, Test.overview)
        if look.why_failed:
            logging.getLogger(__name__).error(look.why_failed)
            environment.process_exit_code = UNTESTED
    if Test.gathered is not None:
        Test.gathered.close()
    if Test.told is not None:
        Test.told.close()
    if Test.readings is not None:
        Test.readings.close()


def _look_every_second(environment: Environment) -> None:
    overview, flushed = Test.overview, time.monotonic()
    while overview is not None and Test.running and overview is Test.overview:
        _look(environment, overview)
        gevent.sleep(1)
        if Test.watch is not None:
            Test.watch.look()
        if Test.gathered is not None and time.monotonic() - flushed >= FLUSH_INTERVAL:
            Test.gathered.flush()
            flushed = time.monotonic()


def _look(environment: Environment, overview: Overview) -> Look:
    if Test.share is not None:
        overview.update(LOCAL, Test.share.tally)
    p95 = environment.stats.total.get_current_response_time_percentile(0.95)
    look = overview.look((p95 or 0) / 1000)
    if Test.progress is not None:
        Test.progress.write(look)
    return look


def check_host(environment: Environment, **_: Any) -> None:
    """End before anything starts when `--host` is no address; on Locust's web page it may come
    later."""
    if environment.host:
        try:
            server_url("--host", environment.host, "http://127.0.0.1:8080")
        except AddressProblem as problem:
            sys.exit(str(problem))


HOOKS: Any = events  # Locust's hooks have no types
HOOKS.init.add_listener(check_host)
HOOKS.test_start.add_listener(start)
HOOKS.test_stop.add_listener(stop)
HOOKS.report_to_master.add_listener(report)
HOOKS.worker_report.add_listener(reported)
HOOKS.quitting.add_listener(quitting)
