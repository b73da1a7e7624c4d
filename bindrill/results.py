"""What a run came to: verdict, report, comparison, and the customers of both clocks joined."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console

from bindrill.console import plain_console, print_json
from bindrill.errors import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_LIMITED,
    EXIT_MET,
    EXIT_MISSED,
    InputProblem,
)
from bindrill.leftovers import open_run
from reports.compare import compare, write_comparison
from reports.html import write_report
from reports.join import join_clocks
from reports.replications import read_replications
from reports.run_folder import RunFolder, Verdict
from reports.variants import (
    Expectation,
    expectation_of,
    expectation_of_all,
    played_variants,
    variant_lines,
)
from reports.variants_page import write_variants_report
from reports.verdict import said, summary_of, verdict_lines, verdict_of

_EXIT_CODES: dict[Verdict, int] = {
    "met": EXIT_MET,
    "missed": EXIT_MISSED,
    "limited": EXIT_LIMITED,
    "interrupted": EXIT_INTERRUPTED,
    "failed": EXIT_FAILED,
}

_EXPECTED_CODES: dict[Expectation, int] = {
    "as expected": EXIT_MET,
    "not as expected": EXIT_MISSED,
    "limited": EXIT_LIMITED,
    "interrupted": EXIT_INTERRUPTED,
    "failed": EXIT_FAILED,
}


def show_run(run: RunFolder, console: Console, *, as_json: bool = False) -> int:
    """Write the report, print the verdict (as JSON on standard output if asked); the exit code."""
    if played_variants(run):
        return _show_variants(run, console, as_json=as_json)
    report = write_report(run)
    verdict = verdict_of(run)
    _print(console, [*verdict_lines(run), f"Report: {report}"])
    if as_json:
        _print_json(run, report, {"verdict": verdict, **_measured(run)})
    return _EXIT_CODES[verdict]


def _show_variants(run: RunFolder, console: Console, *, as_json: bool) -> int:
    report = write_variants_report(run)
    variants = played_variants(run)
    verdict = expectation_of_all(variants)
    _print(console, [*variant_lines(variants), "", f"Variants: {verdict}", f"Report: {report}"])
    if as_json:
        told = {
            played.variant.name: {
                "expect": played.variant.expect,
                "verdict": verdict_of(played.run),
                "expectation": expectation_of(played),
                **_measured(played.run),
            }
            for played in variants
        }
        _print_json(run, report, {"verdict": verdict, "variants": told})
    return _EXPECTED_CODES[verdict]


def _measured(run: RunFolder) -> dict[str, Any]:
    """The summary of each clock, and of those with replications the merged figures."""
    replications = {
        clock: found
        for clock in run.clocks
        if (found := read_replications(run.clock_folder(clock))) is not None
    }
    merged = {clock: found.merged for clock, found in replications.items()}
    clocks = {clock: summary_of(run, clock) for clock in run.clocks}
    limits = {clock: met for clock in run.clocks if (met := run.record.clocks[clock].limits)}
    return {
        "clocks": clocks,
        **({"limits": limits} if limits else {}),
        **({"replications": merged} if merged else {}),
    }


def _print(console: Console, lines: list[str]) -> None:
    for line in lines:
        console.print(line)


def _print_json(run: RunFolder, report: Path, told: dict[str, Any]) -> None:
    outcome = {
        "scenario": run.scenario.name,
        "seed": run.scenario.seed,
        "run": run.path,
        "report": report,
        **told,
    }
    print_json(outcome)


def report_run(path: Path) -> int:
    """`bindrill report`."""
    return show_run(open_run(path), plain_console())


def compare_runs(path_a: Path, path_b: Path) -> int:
    """`bindrill compare`."""
    comparison = compare(open_run(path_a), open_run(path_b))
    page = write_comparison(comparison)
    empty = [f"Nothing is compared: no customer ended in {run.path}" for run in comparison.empty]
    _print(plain_console(), [*comparison.lines(), f"Comparison: {page}", *empty])
    return EXIT_FAILED if empty else EXIT_MET


def join_run(path: Path) -> int:
    """`bindrill join`."""
    run = open_run(path)
    if len(run.clocks) < 2:
        raise InputProblem(f"{path} has one clock only; run it without --sim and --live")
    joined = join_clocks(run)
    lines = joined.lines()
    if run.record.clocks["live"].limits:
        lines.append(f"Live run: {said(run, 'live')}")
    _print(plain_console(), lines)
    return EXIT_MET if joined.joined else EXIT_FAILED
