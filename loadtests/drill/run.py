"""One drill in wall time: topology up, load on, steps carried out, recovery proven, all down."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import polars as pl

from loadtests.drill.clock import DrillClock, Stopped, utc
from loadtests.drill.engine import play
from loadtests.drill.ground import Ground, synchronous
from loadtests.drill.log import DrillLog
from loadtests.drill.probe import Prober
from loadtests.drill.proof import agreeing, proof_of, prove, settle
from loadtests.drill.steps import carry_out
from loadtests.live_run import drive, save_settlement
from loadtests.process import StackProblem
from loadtests.reading import ReconcileProblem
from loadtests.reconcile import reconcile
from loadtests.stack import Stack
from loadtests.topologies.choice import Laid, lay_out
from mocks.lender.store import StoreUnavailable
from reports.claims import scratch
from reports.drills.fault import fault_entry
from reports.drills.grade import grade_of
from reports.drills.judge import judge
from reports.drills.phases import Answer, recovery
from reports.drills.reconciliation import write_reconciliation
from reports.drills.result import UNDER_WAY, DrillResult, TimelineEntry
from reports.progress import Progress
from reports.recorder import scan_events
from reports.run_folder import RunFolder
from scenarios.drill import Drill
from scenarios.interruption import undisturbed
from scenarios.keyed import Keyed
from scenarios.schema import Scenario

STEPS_AFTER_LOAD = 120.0
"""Seconds that steps may go on after the load has ended."""
_ENDING = 30.0
"""Seconds that an interrupted step may take to notice."""


def run_drill(
    run: RunFolder,
    *,
    processes: int = 1,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_step: Callable[[TimelineEntry], None] = lambda _: None,
) -> DrillResult:
    """Carry out the drill of `run`'s scenario, and keep its `drill.json` and `live/` up to date.

    `on_step` gets every entry of the timeline when it begins (without `ended`) and when it has
    ended, from another thread. Ctrl-C ends the drill early, and everything is stopped in any case.
    Raises StackProblem when servers, databases or load cannot be started.
    """
    scenario = run.scenario
    drill = scenario.drill
    if drill is None:
        raise StackProblem(f"{scenario.name} is no drill; it has no steps")
    log = DrillLog(run.path, _nothing_yet(run), on_step)
    folder = run.clock_folder("live")
    try:
        with scratch("drill-") as data, Stack(scenario, folder) as stack:
            laid = lay_out(scenario, stack, data)
            try:
                _Attempt(scenario, drill, laid, stack, folder, log).carry_out(
                    processes, on_progress
                )
            finally:
                with undisturbed():
                    stack.stop()
                    laid.topology.stop()
    except KeyboardInterrupt:
        log.change(state="interrupted", note="interrupted")
    except StackProblem as problem:
        log.change(state="failed", note=str(problem))
        raise
    finally:
        with undisturbed():
            log.change(logs=_digests(run.path))
    return log.result


class _Attempt:
    """The part between starting and stopping."""

    def __init__(
        self,
        scenario: Scenario,
        drill: Drill,
        laid: Laid,
        stack: Stack,
        folder: Path,
        log: DrillLog,
    ) -> None:
        self._scenario = scenario
        self._drill = drill
        self._laid = laid
        self._stack = stack
        self._folder = folder
        self._log = log

    def carry_out(self, processes: int, on_progress: Callable[[Progress], None]) -> None:
        """All of it. Raises KeyboardInterrupt and StackProblem."""
        log, laid, stack = self._log, self._laid, self._stack
        laid.topology.start()
        log.change(versions={**log.result.versions, **laid.topology.versions})
        began = time.monotonic()
        steps = _Steps(self._ground)
        try:
            state = drive(
                stack, self._scenario, self._folder, processes, on_progress, companion=steps
            )
            if state == "interrupted":
                raise KeyboardInterrupt
            note = steps.finish()
            with undisturbed():
                self._measure()
            if not note:
                note = self._prove(steps.clock)
            untested = "" if steps.failed else self._untested()
            failed = steps.failed or bool(untested)
            log.change(state="failed" if failed else "complete", note=untested or note)
        finally:
            with undisturbed():
                steps.stop(self._pull_down)
                if "payment" in stack.urls:
                    save_settlement(stack.urls["payment"], began, self._folder)

    def _pull_down(self) -> None:
        self._stack.stop()
        self._laid.topology.stop()

    def _ground(self, clock: DrillClock) -> Ground:
        prober = Prober(
            self._stack.urls["lender"],
            self._drill.probe,
            self._folder,
            self._scenario.lender.otp.digits,
        )
        return Ground(
            self._scenario,
            self._drill,
            self._laid.topology,
            self._laid.keys,
            prober,
            clock,
            self._log,
            Keyed(self._scenario.seed),
            self._reconcile,
        )

    def _measure(self) -> None:
        """RTO and its parts, from the customers' events."""
        log, drill = self._log, self._drill
        timeline = log.result.timeline
        entry = fault_entry(timeline, synchronous=synchronous(self._scenario))
        if entry is None:
            return
        answers = (
            scan_events(self._folder)
            .filter(pl.col("kind") == "request")
            .select("started", "ended", pl.col("status").is_between(1, 499))
            .collect()
        )
        found = recovery(
            (Answer(*row) for row in answers.iter_rows()),
            timeline,
            entry.began,
            share=drill.back_at,
            stable_for=drill.stable_for,
        )
        rto = None if found.back_at is None else round(found.back_at - entry.began, 3)
        log.change(fault_at=entry.began, back_at=found.back_at, rto=rto, phases=found.phases)

    def _prove(self, clock: DrillClock) -> str:
        """Acknowledgements, books, objectives; what is to be noted. Raises KeyboardInterrupt."""
        log = self._log
        left = settle(self._laid.topology, clock)
        result = log.result
        fault_at = clock.origin + (result.fault_at or 0.0)
        try:
            checked = prove(self._laid.topology, self._stack.urls, self._folder, fault_at)
            proof = proof_of(checked)
            rpo = proof.lost_seconds
            log.change(
                proof=proof,
                rpo=rpo,
                grade=grade_of(result.rto, rpo),
                judgements=judge(self._drill.objectives, rto=result.rto, rpo=rpo, proof=proof),
            )
            self._reconcile()
        except (StoreUnavailable, ReconcileProblem) as problem:
            raise StackProblem(f"recovery could not be proven: {problem}") from None
        return f"{left} partner calls were open when the books were compared" if left else ""

    def _untested(self) -> str:
        """Why nothing is proven by a drill that was carried out; empty if something is."""
        result = self._log.result
        if result.proof is not None and not result.proof.acknowledged:
            return "no customer was told of a binding, so that there was nothing to look up"
        requests = scan_events(self._folder).filter(pl.col("kind") == "request")
        last = requests.select(pl.col("ended").max()).collect().item()
        if result.fault_at is not None and (last is None or last < result.fault_at):
            return (
                f"it struck at {result.fault_at:.1f} s, when no customer was there any more; write"
                " earlier steps, or a longer duration"
            )
        return ""

    def _reconcile(self) -> str:
        urls = self._stack.urls
        found = reconcile(
            self._laid.topology.database,
            self._laid.keys.file,
            urls["bank"],
            urls["payment"],
            repair=True,
        )
        write_reconciliation(self._folder.parent, found)
        before = self._log.result.reconciliation
        earlier = (
            ()
            if before is None
            else tuple(each for each in before.repairs if each.outcome != "a person decides")
        )
        self._log.change(reconciliation=agreeing(found, earlier))
        return (
            f"{len(found.before.findings)} differences, {len(found.repairs)} repairs,"
            f" {len(found.after.findings)} left"
        )


class _Steps:
    """The steps in a thread of their own, beside the load."""

    def __init__(self, ground: Callable[[DrillClock], Ground]) -> None:
        self.clock = DrillClock(time.time())
        self.failed = False
        self._make_ground = ground
        self._problem: BaseException | None = None
        self._prober: Prober | None = None
        self._thread: threading.Thread | None = None

    def begin(self, origin: float) -> None:
        """The load begins."""
        self.clock = DrillClock(origin)
        ground = self._make_ground(self.clock)
        self._prober = ground.prober
        self._prober.start()
        self._thread = threading.Thread(target=self._run, args=(ground,), name="drill", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises StackProblem when a step could not be carried out, and what else broke."""
        if self._problem is not None and not isinstance(self._problem, StackProblem):
            raise self._problem

    def finish(self) -> str:
        """Wait for the last step; why one failed, or empty."""
        thread = self._thread
        deadline = time.monotonic() + STEPS_AFTER_LOAD
        while thread is not None and thread.is_alive() and time.monotonic() < deadline:
            thread.join(0.1)
        self.check()
        if thread is not None and thread.is_alive():
            self.failed = True
            return f"steps were not done {STEPS_AFTER_LOAD:.0f} s after the load"
        if self._problem is not None:
            self.failed = True
            return str(self._problem)
        return ""

    def stop(self, pull_down: Callable[[], None]) -> None:
        """End the steps; `pull_down` takes away what a step may be waiting for."""
        self.clock.stop()
        if self._prober is not None:
            self._prober.stop()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(_ENDING / 10)
            if self._thread.is_alive():
                pull_down()
                self._thread.join(_ENDING)
                pull_down()  # of what the step started meanwhile

    def _run(self, ground: Ground) -> None:
        try:
            play(ground.drill.steps, lambda step: carry_out(step, ground), ground.clock, ground.log)
        except Stopped:
            return
        except BaseException as problem:
            self._problem = problem


def _nothing_yet(run: RunFolder) -> DrillResult:
    scenario = run.scenario
    state: Literal["interrupted"] = "interrupted"
    return DrillResult(
        name=scenario.name,
        title=scenario.title,
        topology=scenario.topology.kind,
        state=state,
        note=UNDER_WAY,
        started_utc=utc(datetime.now(UTC).timestamp()),
        fault_at=None,
        back_at=None,
        rto=None,
        rpo=0.0,
        phases=(),
        timeline=(),
        proof=None,
        reconciliation=None,
        judgements=(),
        grade=None,
        versions=dict(run.record.versions),
        logs={},
    )


def _digests(folder: Path) -> dict[str, str]:
    """SHA-256 by file name, of the logs and of what customers were told."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for pattern in ("live/logs/*.log", "live/probe.jsonl", "live/acknowledgements/*.jsonl")
        for file in sorted(folder.glob(pattern))
    }
