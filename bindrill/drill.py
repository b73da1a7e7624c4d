"""`bindrill drill`: something is destroyed under load, brought back, and the recovery proven."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from bindrill.console import plain_console, print_json
from bindrill.display import Display
from bindrill.errors import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_LIMITED,
    EXIT_MET,
    EXIT_MISSED,
)
from bindrill.evidence import make_evidence
from bindrill.leftovers import tidy
from bindrill.option_values import checked_language
from bindrill.scenario_files import print_entries
from loadtests.drill.run import run_drill
from loadtests.files_needed import too_few_files
from loadtests.topologies.choice import require
from reports.claims import claimed
from reports.drills.result import DrillResult, Judgement, TimelineEntry
from reports.numbers import MISSING
from reports.progress import Progress
from reports.room import check_room
from reports.run_folder import RunFolder, State
from reports.verdict import conclude, outcomes_of, shown_value
from scenarios.arrivals import arrival_count
from scenarios.drill_library import load_drill
from scenarios.interruption import undisturbed
from scenarios.library_index import drills
from scenarios.loader import override
from scenarios.schema import Scenario
from scenarios.units import format_duration


class DrillOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `bindrill drill`, as `bindrill.cli` describes them."""

    out: Path
    seed: int | None = None
    duration: str | None = None
    rate: str | None = None
    lang: str = "en"
    pdf: bool = True
    json: bool = False
    repeat: int = 1
    judge_at_limit: bool = False


def list_drills() -> int:
    """Print the shipped drills, a line each; the exit code."""
    print_entries("drill", drills())
    return EXIT_MET


def drill_scenario(name: str, options: DrillOptions) -> int:
    """Carry out a drill, `repeat` times with consecutive seeds; the exit code. Raises the
    exceptions of `bindrill.errors.user_problems`."""
    checked_language(options.lang)
    scenario = override(
        load_drill(name), seed=options.seed, duration=options.duration, rate=options.rate
    )
    require(scenario)
    console = plain_console(stderr=options.json)
    tidy(options.out)
    check_room(options.out, _planned(scenario), ("live",))
    played: list[tuple[RunFolder, DrillResult]] = []
    for number in range(options.repeat):
        again = scenario.model_copy(update={"seed": scenario.seed + number})
        run, result = _once(again, options, console)
        played.append((run, result))
        if result.state == "interrupted":
            break
    if options.repeat > 1:
        _print_table(console, played)
    if options.json:
        told = [{"run": run.path, **msgspec.to_builtins(result)} for run, result in played]
        print_json(told if options.repeat > 1 else told[0])
    return _exit_code([result for _, result in played])


def _once(
    scenario: Scenario, options: DrillOptions, console: Console
) -> tuple[RunFolder, DrillResult]:
    run = RunFolder.create(options.out, scenario, command=["bindrill", *sys.argv[1:]])
    with claimed(run.path):
        return run, _carried_out(run, _planned(scenario), options, console)


def _planned(scenario: Scenario) -> int:
    return arrival_count(scenario.arrivals, scenario.seed, scenario.duration)


def _carried_out(
    run: RunFolder, planned: int, options: DrillOptions, console: Console
) -> DrillResult:
    scenario = run.scenario
    run.begin("live", planned=planned)
    console.print(
        f"{scenario.name}: {scenario.topology.kind}, {planned:,} customers in"
        f" {format_duration(scenario.duration)}, seed {scenario.seed}, into {run.path}",
    )
    if warning := too_few_files(scenario):
        console.print(warning)
    began = time.monotonic()
    with _shown(console, quiet=options.json) as (on_progress, on_step):
        try:
            result = run_drill(run, on_progress=on_progress, on_step=on_step)
        except BaseException as problem:
            _broken_off(run, problem, time.monotonic() - began)
            raise
    with undisturbed():
        result = _concluded(
            run, result, time.monotonic() - began, judge_at_limit=options.judge_at_limit
        )
    for line in drill_lines(result):
        console.print(line)
    console.print(f"Drill: {run.path}")
    folder = make_evidence(run.path, lang=options.lang, pdf=options.pdf)
    console.print(f"Evidence: {folder}")
    return result


def _broken_off(run: RunFolder, problem: BaseException, wall_seconds: float) -> None:
    state: State = "interrupted" if isinstance(problem, KeyboardInterrupt) else "failed"
    note = (str(problem).splitlines() or [type(problem).__name__])[0]
    with undisturbed():
        conclude(run, "live", state=state, wall_seconds=wall_seconds, note=note)


def _concluded(
    run: RunFolder, result: DrillResult, wall_seconds: float, *, judge_at_limit: bool
) -> DrillResult:
    """The run's summary and verdict; the scenario's own objectives count as those of the drill."""
    summary = conclude(
        run,
        "live",
        state=result.state,
        wall_seconds=wall_seconds,
        note=result.note,
        judge_at_limit=judge_at_limit,
    )
    record = run.record.clocks["live"]
    stated = tuple(
        Judgement(objective=each.text, limit="", measured=shown_value(each), met=each.holds)
        for each in outcomes_of(run, "live", summary)
    )
    if record.state == "failed":
        result = msgspec.structs.replace(result, state="failed", note=record.note)
    if stated or record.limits or record.state == "failed":
        result = msgspec.structs.replace(
            result,
            judgements=(*result.judgements, *stated),
            limits=record.limits,
            judged=record.judged,
        )
        result.save(run.path)
    if record.verdict != result.verdict:
        record.verdict = result.verdict
        run.save()
    return result


def drill_lines(result: DrillResult) -> list[str]:
    """What the command line prints at the end of a drill."""
    word = "the testbed was the limit" if result.verdict == "limited" else result.verdict
    lines = [f"Drill {result.name}: {word}{f' ({result.note})' if result.note else ''}"]
    lines += [f"  Limit: {met.text}" for met in result.limits]
    if result.fault_at is not None and result.state == "complete":
        parts = ", ".join(f"{each.phase} {each.seconds:.1f}" for each in result.phases)
        back = (
            "service never came back to its objective"
            if result.rto is None
            else (f"back after {result.rto:.1f} s ({parts})")
        )
        lines.append(f"  RTO: {back}")
    if result.proof is not None:
        proof = result.proof
        found = [
            (len(proof.redone), "lost and done again"),
            (len(proof.resurrected), "resurrected"),
            (len(proof.duplicated), "duplicated"),
            (len(proof.reordered), "reordered"),
            (len(proof.charged_unbound), "charged without a binding"),
            (len(proof.bound_unagreed), "bound without an agreement"),
            (len(proof.audit_breaks), "breaks of the audit chain"),
        ]
        others = "".join(f", {count} {what}" for count, what in found if count)
        lines.append(
            f"  RPO: {result.rpo:.1f} s; {proof.lost_bindings} of {proof.acknowledged} acknowledged"
            f" bindings lost{others}"
        )
    if result.reconciliation is not None:
        books = result.reconciliation
        done = sum(each.outcome == "done" for each in books.repairs)
        conserved = "conserved" if books.conserved else "NOT conserved"
        lines.append(
            f"  Books: {done} repairs, {books.left} differences left, money {conserved}"
            f" ({books.charged_fen} fen charged, {books.refunded_fen} refunded)"
        )
    lines += [
        f"  {_judged(each, result):<7} {f'{each.objective} {each.limit}'.strip()}: {each.measured}"
        for each in result.judgements
    ]
    if result.state == "complete":
        grade = "below 1" if result.grade is None else str(result.grade)
        lines.append(f"  Grade by GB/T 20988-2007 (RTO and RPO alone): {grade}")
    return lines


def _judged(each: Judgement, result: DrillResult) -> str:
    if not result.judged:
        return "not judged"
    return "met" if each.met else "missed"


def step_line(entry: TimelineEntry) -> str:
    """One line about a step that begins, or that has ended."""
    what = " ".join(part for part in (entry.do, entry.target) if part)
    if entry.ended is None and not entry.detail:
        return f"{entry.began:6.1f} s  {what} …"
    took = "not done" if entry.ended is None else f"{entry.ended - entry.began:.1f} s"
    return f"{entry.began:6.1f} s  {what}: {took}{f', {entry.detail}' if entry.detail else ''}"


@contextmanager
def _shown(console: Console, *, quiet: bool) -> Iterator[tuple[Any, Any]]:
    """Functions that show progress and steps; both may be called from any thread."""
    lock = Lock()
    current = ""
    with Display(console, quiet=quiet) as display:

        def on_progress(progress: Progress) -> None:
            with lock:
                steps = (*progress.faults, current) if current else progress.faults
                display.show(msgspec.structs.replace(progress, faults=steps))

        def on_step(entry: TimelineEntry) -> None:
            nonlocal current
            with lock:
                current = entry.do if entry.ended is None and not entry.detail else ""
                if not quiet and (entry.ended is not None or entry.detail):
                    console.print(step_line(entry))

        yield on_progress, on_step


def _print_table(console: Console, played: list[tuple[RunFolder, DrillResult]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("seed", "RTO", "RPO", "bindings lost", "left to reconcile", "grade", "verdict"):
        table.add_column(name, no_wrap=True)
    for run, result in played:
        table.add_row(
            str(run.scenario.seed),
            MISSING if result.rto is None else f"{result.rto:.1f} s",
            f"{result.rpo:.1f} s",
            MISSING if result.proof is None else str(result.proof.lost_bindings),
            MISSING if result.reconciliation is None else str(result.reconciliation.left),
            MISSING if result.grade is None else str(result.grade),
            result.verdict,
        )
    console.print(table, soft_wrap=False)


def _exit_code(results: list[DrillResult]) -> int:
    if any(result.state == "interrupted" for result in results):
        return EXIT_INTERRUPTED
    if any(result.state == "failed" for result in results):
        return EXIT_FAILED
    if any(result.verdict == "limited" for result in results):
        return EXIT_LIMITED
    return EXIT_MET if all(result.met for result in results) else EXIT_MISSED
