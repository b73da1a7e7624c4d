"""One scenario in wall time: servers up, faults set, Locust's load, everything down again."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from loadtests.admin import AdminProblem, fetch
from loadtests.calls import CallGatherer
from loadtests.faults import post_faults
from loadtests.overview import Look, ProgressReader
from loadtests.process import Process, RunFailed, StackProblem
from loadtests.process_faults import ProcessFaults
from loadtests.settings import UNTESTED, Settings
from loadtests.stack import TARGET_PORTS, Stack
from loadtests.strikes import StrikeCounter
from mocks.payment.settlement import CHINA
from reports.progress import Progress
from reports.recorder import Recorder
from reports.strikes import write_strikes
from scenarios.ceilings.readings import ReadingsFile, readings_path
from scenarios.ceilings.watch import Watch
from scenarios.faults import Fault
from scenarios.faults.process import ProcessFault
from scenarios.interruption import undisturbed
from scenarios.schema import Scenario

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
TICK = 0.2
"""Seconds between looks at Locust; faults are set within one of the schedule's announcement."""
GATHER_INTERVAL = 1.0
"""Seconds between looks at the gateways' call feeds, and at this process's own ceilings."""
FLUSH_INTERVAL = 5.0
"""Seconds of gateway calls that a kill may lose."""


class Companion(Protocol):
    """Whoever does something beside the load."""

    def begin(self, origin: float) -> None:
        """The schedule's start is known, in seconds since the epoch."""

    def check(self) -> None:
        """Raises StackProblem when the load need not go on."""


class LiveResult(msgspec.Struct, frozen=True):
    """How a live run went. `settlement_csv`: the payment gateway's settlement file of the days
    that the run touched, if it could be had; `urls`: where the servers were; `note`: why it
    failed."""

    state: Literal["complete", "interrupted", "failed"]
    wall_seconds: float
    settlement_csv: Path | None
    urls: dict[str, str]
    note: str = ""


def run_live(
    scenario: Scenario,
    folder: Path,
    *,
    target: str | None = None,
    allow_remote: bool = False,
    processes: int = 1,
    database: str | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_ready: Callable[[dict[str, str]], None] | None = None,
) -> LiveResult:
    """Play `scenario` against real servers and record events, logs and the settlement file below
    `folder` (the run's `live/`).

    `target` is a team's own binding service to load instead of the reference lender (on another
    machine only with `allow_remote`); `processes` load-generator processes share the customers;
    `database` is the lender's. `on_ready` gets the servers' URLs before the load begins. Ctrl-C
    ends the run early: what happened so far is recorded and readable. So it is of a run that failed
    once it had begun. Raises StackProblem when it cannot begin; nothing is left running in any
    case.
    """
    began = time.monotonic()
    state: Literal["complete", "interrupted", "failed"] = "complete"
    note = ""
    settlement = None
    stack = Stack(scenario, folder, target=target, allow_remote=allow_remote, database=database)
    if target is not None and any(_of_our_lender(fault) for fault in scenario.fault_timeline):
        raise StackProblem(
            f"{scenario.name} has faults of the lender, which --target replaces: take them out of"
            " the scenario"
        )
    with stack:
        try:
            stack.start()
            if on_ready is not None:
                on_ready(dict(stack.urls))
            state = drive(stack, scenario, folder, processes, on_progress or _unseen)
        except KeyboardInterrupt:
            state = "interrupted"
        except RunFailed as failed:
            state, note = "failed", str(failed)
        with undisturbed():
            if "payment" in stack.urls:
                settlement = save_settlement(stack.urls["payment"], began, folder)
    return LiveResult(state, time.monotonic() - began, settlement, stack.urls, note)


def drive(
    stack: Stack,
    scenario: Scenario,
    folder: Path,
    processes: int = 1,
    on_progress: Callable[[Progress], None] = lambda _: None,
    companion: Companion | None = None,
) -> Literal["complete", "interrupted"]:
    """Play `scenario` on a started `stack` until Locust ends. Raises RunFailed when servers or load
    generator fail, and when all customers fail at one step."""
    progress = stack.logs / "progress.jsonl"
    progress.unlink(missing_ok=True)
    settings = Settings(
        scenario=str(stack.scenario_file.resolve()),
        sms_url=stack.urls["sms"],
        events=folder.resolve(),
        progress=progress.resolve(),
        foreign=stack.foreign,
    )
    recorder = Recorder(folder, worker="gateways")
    readings = ReadingsFile(readings_path(folder, "bindrill"))
    watch = Watch("bindrill", "bindrill", readings.add)
    run = _Drive(stack, scenario, ProgressReader(progress), recorder, on_progress, companion, watch)
    try:
        run.follow(_start_locust(stack, settings, processes))
    except KeyboardInterrupt:
        return "interrupted"
    except StackProblem as problem:
        raise RunFailed(str(problem)) from None
    finally:
        with undisturbed():
            stack.end("locust")
            run.gather()
            run.count_strikes()
            recorder.close()
            watch.look()
            readings.close()
    if scenario.fault_timeline:
        write_strikes(run.strikes.counted, folder)
    return "complete"


class _Drive:
    """Follows Locust: passes its progress on, sets the faults, gathers the gateways' calls."""

    def __init__(
        self,
        stack: Stack,
        scenario: Scenario,
        reader: ProgressReader,
        recorder: Recorder,
        on_progress: Callable[[Progress], None],
        companion: Companion | None,
        watch: Watch,
    ) -> None:
        self._stack = stack
        self._scenario = scenario
        self._reader = reader
        self._recorder = recorder
        self._on_progress = on_progress
        self._companion = companion
        self._watch = watch
        self._gatherers: list[CallGatherer] = []
        self._last: Look | None = None
        self._origin = 0.0
        self._process_faults = ProcessFaults(scenario.fault_timeline, stack, self._restarted)
        self.strikes = StrikeCounter(scenario.fault_timeline)

    def follow(self, locust: Process) -> None:
        """Until Locust has ended as it should. Raises StackProblem when it did not, or when its
        customers did not do what they were to do."""
        gathered = flushed = time.monotonic()
        while True:
            ended = locust.exit_code is not None  # before the looks, so that none is missed
            for look in self._reader.new():
                if self._last is None:
                    self._begin(look.origin)
                self._last = look
                self._on_progress(look.progress)
            self._stack.check()
            if self._companion is not None:
                self._companion.check()
            if ended:
                break
            now = time.monotonic()
            if now - gathered >= GATHER_INTERVAL:
                self.gather()
                self._watch.look()
                gathered = now
            if now - flushed >= FLUSH_INTERVAL:
                self._recorder.flush()
                flushed = now
            time.sleep(TICK if self._last is None else self._process_faults.act(self._now(), TICK))
        if self._last is not None and self._last.stuck is not None:
            raise RunFailed(self._last.stuck.line)
        well = (0, UNTESTED)  # that too few customers came is judged with the run
        if locust.exit_code not in well or self._last is None or not self._last.over:
            raise locust.problem(f"ended too early, with code {locust.exit_code}")
        if self._last.crashed:
            raise StackProblem(
                f"locust could not play or record {self._last.crashed} journeys:"
                f" {self._last.crash} (log: {locust.log})"
            )

    def gather(self) -> None:
        """Take the newest gateway calls."""
        if self._stack.answers("gateways"):
            for gatherer in self._gatherers:
                gatherer.gather()

    def count_strikes(self) -> None:
        """Learn how often each fault has struck so far."""
        urls = self._stack.urls
        self.strikes.ask({name: url for name, url in urls.items() if self._reachable(name)})
        self.strikes.tell(self._process_faults.begun)
        if self._last is not None:
            self.strikes.tell(self._last.struck)

    def _reachable(self, name: str) -> bool:
        return self._stack.answers("lender" if name == "lender" else "gateways")

    def _now(self) -> float:
        """Seconds since the run began."""
        return time.time() - self._origin

    def _restarted(self, process: str) -> None:
        """A process has begun a new life: its faults, and its feed, begin again."""
        urls = self._stack.admin_urls
        ours = {
            name: url for name, url in urls.items() if (name == "lender") == (process == "lender")
        }
        if process == "gateways":
            self._follow_calls()
        self.strikes.forgotten_by(ours)
        self._post(ours)

    def _follow_calls(self) -> None:
        urls = self._stack.admin_urls
        self._gatherers = [
            CallGatherer(urls[gateway], self._origin, self._recorder.add)
            for gateway in TARGET_PORTS
        ]

    def _begin(self, origin: float) -> None:
        self._origin = origin
        self._follow_calls()
        self._post(self._stack.admin_urls)
        if self._companion is not None:
            self._companion.begin(origin)

    def _post(self, urls: Mapping[str, str]) -> None:
        try:
            post_faults(urls, self._scenario.fault_timeline, self._now())
        except AdminProblem as problem:
            raise StackProblem(str(problem)) from None


def _start_locust(stack: Stack, settings: Settings, processes: int) -> Process:
    command = [
        *(sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--only-summary"),
        *("--host", stack.urls["lender"], "--csv", "locust"),
        *("--exit-code-on-error", "0"),  # refused customers are a result
    ]
    if processes > 1:
        port = str(_free_port())
        command += [
            *("--processes", str(processes), "--master-bind-host", "127.0.0.1"),
            *("--master-bind-port", port, "--master-host", "127.0.0.1", "--master-port", port),
        ]
    # It reads ~/.locust.conf, and locust.conf and pyproject.toml where it stands: there are none.
    logs = stack.logs.resolve()
    environment = settings.as_environment() | {"HOME": str(logs)}
    return stack.begin("locust", command, environment, folder=logs)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def save_settlement(url: str, began: float, folder: Path) -> Path | None:
    """The settlement file, one header for all days; None when the gateway does not give it."""
    last = datetime.now(CHINA)
    day = (last - timedelta(seconds=time.monotonic() - began)).date()
    lines: list[str] = []
    while day <= last.date():
        try:
            status, body = fetch(f"{url}/v1/settlement/{day}")
        except AdminProblem:
            return None
        if status != 200:
            return None
        content = body.decode(errors="replace").splitlines(keepends=True)
        lines += content[1:] if lines else content
        day += timedelta(days=1)
    path = folder / "settlement.csv"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def _of_our_lender(fault: Fault) -> bool:
    if isinstance(fault, ProcessFault):
        return fault.process == "lender"
    return fault.host == "lender"


def _unseen(_: Progress) -> None:
    """Nobody watches."""
