"""What a run came to: verdict, report, comparison, and the customers of both clocks joined."""

from __future__ import annotations

from pathlib import Path

import msgspec
from rich.console import Console

from bindrill.errors import EXIT_INTERRUPTED, EXIT_MET, EXIT_MISSED, InputProblem
from reports.compare import compare, write_comparison
from reports.html import write_report
from reports.join import join_clocks
from reports.run_folder import RunFolder, Verdict
from reports.verdict import summary_of, verdict_lines, verdict_of

_EXIT_CODES: dict[Verdict, int] = {
    "met": EXIT_MET,
    "missed": EXIT_MISSED,
    "interrupted": EXIT_INTERRUPTED,
    "failed": EXIT_MISSED,
}


def show_run(run: RunFolder, console: Console, *, as_json: bool = False) -> int:
    """Write the report, print the verdict (as JSON on standard output if asked); the exit code."""
    report = write_report(run)
    verdict = verdict_of(run)
    for line in verdict_lines(run):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(f"Report: {report}", highlight=False, markup=False, soft_wrap=True)
    if as_json:
        outcome = {
            "scenario": run.scenario.name,
            "seed": run.scenario.seed,
            "verdict": verdict,
            "run": str(run.path),
            "report": str(report),
            "clocks": {clock: summary_of(run, clock) for clock in run.clocks},
        }
        print(msgspec.json.encode(outcome).decode())
    return _EXIT_CODES[verdict]


def report_run(path: Path) -> int:
    """`bindrill report`."""
    return show_run(RunFolder.open(path), Console())


def compare_runs(path_a: Path, path_b: Path) -> int:
    """`bindrill compare`."""
    comparison = compare(RunFolder.open(path_a), RunFolder.open(path_b))
    page = write_comparison(comparison)
    for line in comparison.lines():
        print(line)
    print(f"Comparison: {page}")
    return EXIT_MET


def join_run(path: Path) -> int:
    """`bindrill join`."""
    run = RunFolder.open(path)
    if len(run.clocks) < 2:
        raise InputProblem(f"{path} has one clock only; run it without --sim and --live")
    for line in join_clocks(run).lines():
        print(line)
    return EXIT_MET
