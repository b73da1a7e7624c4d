"""`bindrill fidelity`: scenarios in both clocks, and one table of what the simulator got wrong.

The rows are kept beside the table, so that scenarios can be measured a few at a time.
"""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
from rich.console import Console

from bindrill.calibrate import calibrate_machine
from bindrill.console import plain_console
from bindrill.errors import EXIT_INTERRUPTED, EXIT_LIMITED, EXIT_MET
from bindrill.kept_rows import check_table, kept_rows, notes_file, read_notes, write_table
from bindrill.leftovers import tidy
from bindrill.run import RunOptions, run_scenario
from reports.claims import claim
from reports.fidelity import FidelityRow, fidelity_page, fidelity_row
from reports.join import join_clocks
from reports.run_folder import CLOCKS, RunFolder, new_folder
from reports.variants import played_variants
from reports.verdict import summary_of
from scenarios.calibration import load_calibration
from scenarios.library_index import names
from scenarios.loader import load_scenario
from scenarios.schema import Scenario
from scenarios.variants import variant

LONGEST = 90.0
"""Seconds of load up to which a shipped scenario is played unless it is named."""


class FidelityOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `bindrill fidelity`, as `bindrill.cli` describes them."""

    scenarios: tuple[str, ...]
    out: Path
    runs: Path
    calibration: Path | None


class _Subject(msgspec.Struct, frozen=True):
    """A scenario as it was named, and the variant to play (None: it has none)."""

    named: str
    scenario: Scenario
    variant: str | None


def write_fidelity(options: FidelityOptions) -> int:
    """Play the scenarios in both clocks and write the table after each; returns the exit code.

    Rows of other scenarios, measured before, stay in the table.

    Ctrl-C leaves the rows of the scenarios that were finished. Raises the exceptions of
    `bindrill.errors.user_problems`.
    """
    console = plain_console()
    subjects = [_subject(name) for name in options.scenarios] or _short_ones()
    inputs = [Path(name) for name in options.scenarios]
    check_table(options.out, "--out", [*inputs, *filter(None, [options.calibration])])
    notes = read_notes(notes_file(options.out))
    began = datetime.now(UTC)
    tidy(options.runs)
    runs = claim(new_folder(options.runs, f"fidelity-{began:%Y%m%d-%H%M%S}"))
    calibration = options.calibration
    if calibration is None:
        calibration = runs / "calibration.yaml"
        if calibrate_machine("baseline", out=calibration, duration="30s", rate="2/s"):
            return _interrupted(console, options.out, [])
    fitted = load_calibration(calibration).measured
    measured = f"{platform.node()}, {began:%Y-%m-%d}, calibrated to {fitted}"
    before = kept_rows(options.out, FidelityRow, otherwise="measure every scenario anew")
    rows = {row.scenario: row for row in before}
    finished: list[FidelityRow] = []
    limited: list[str] = []
    for number, subject in enumerate(subjects, start=1):
        console.print(f"Scenario {number} of {len(subjects)}")
        try:
            row = _play(subject, runs, calibration, measured)
        except KeyboardInterrupt:
            row = None
        if row is None:
            return _interrupted(console, options.out, finished)
        if row == "limited":
            limited.append(subject.named)
            continue
        finished.append(row)
        rows[row.scenario] = row
        ordered = sorted(rows.values(), key=lambda row: row.scenario)
        write_table(options.out, ordered, fidelity_page(ordered, notes))
    if limited:
        told = ", ".join(limited)
        console.print(f"The testbed was the limit, so nothing was compared, in: {told}")
    if finished:
        console.print(f"Written: {options.out}; the runs are in {runs}")
    return EXIT_LIMITED if limited else EXIT_MET


def _subject(name: str) -> _Subject:
    scenario = load_scenario(name)
    good = next((each.name for each in scenario.variants if each.expect == "met"), None)
    if good is None and scenario.variants:
        good = scenario.variants[0].name
    return _Subject(name, scenario, good)


def _short_ones() -> list[_Subject]:
    found = [_subject(name) for name in names()]
    return [subject for subject in found if _seconds(subject) <= LONGEST]


def _seconds(subject: _Subject) -> float:
    played = subject.scenario
    if subject.variant is not None:
        played = variant(played, subject.variant)
    return played.duration


def _play(
    subject: _Subject, runs: Path, calibration: Path, measured: str
) -> FidelityRow | Literal["limited"] | None:
    """The row of a scenario; None when it was interrupted."""
    base = new_folder(runs, subject.scenario.name)
    code = run_scenario(
        subject.named,
        RunOptions(
            clocks=CLOCKS,
            seed=None,
            duration=None,
            rate=None,
            variant=subject.variant,
            replications=1,
            jobs=None,
            precision=None,
            out=base,
            target=None,
            allow_remote=False,
            processes=1,
            database=None,
            calibration=calibration,
            json=False,
        ),
    )
    if code == EXIT_INTERRUPTED:
        return None
    (path,) = base.iterdir()
    run = RunFolder.open(path)
    for played in played_variants(run):
        run = played.run
    if run.record.clocks["live"].limits:
        return "limited"
    return fidelity_row(
        subject.scenario.name,
        subject.variant or "",
        summary_of(run, "sim"),
        summary_of(run, "live"),
        join_clocks(run),
        measured=measured,
    )


def _interrupted(console: Console, out: Path, rows: list[FidelityRow]) -> int:
    kept = f"{out} has the {len(rows)} finished ones" if rows else f"{out} was not written"
    console.print(f"interrupted; {kept}")
    return EXIT_INTERRUPTED
