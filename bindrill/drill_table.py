"""`bindrill drill --calibrate` and `--table`: what measured drills say about predicted ones.

The table's rows are kept beside it, so that drills can be measured a few at a time.
"""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bindrill.console import plain_console
from bindrill.errors import EXIT_MET, InputProblem
from bindrill.kept_rows import check_table, kept_rows, notes_file, read_notes, write_table
from bindrill.outputs import check_output, share
from reports.drills.fit import fit
from reports.drills.measured import measured_drills, passed_checks
from reports.drills.measured_table import MeasuredRow, measured_page, measured_row
from scenarios.drill_calibration import SHIPPED, load_drill_calibration
from scenarios.drill_library import load_drill
from scenarios.library_index import drill_names
from scenarios.printed_text import shell_word
from sim.drills.prediction import predict

DRILLS = 2000
"""Simulated drills a row: the ends of a 90 % interval are then known to half a per cent of the
drills."""


def calibrate_drills(runs: Path, out: Path) -> int:
    """Fit the times of actions to the measured drills below `runs`, write the file; the exit code.

    Raises the exceptions of `bindrill.errors.user_problems`.
    """
    check_output(out, "--calibrate", replaces=load_drill_calibration)
    found = measured_drills(runs)
    if not found:
        raise InputProblem(f"{runs} holds no drill that went to its end; carry one out first")
    measured = f"{len(found)} drills, {platform.node()}, {datetime.now(UTC):%Y-%m-%d}"
    checks = passed_checks(runs, found)
    calibration = fit(found, checks, load_drill_calibration(), measured)
    calibration.save(out)
    share(out)
    console = plain_console()
    taken = {entry.do for result in found.values() for entry in result.timeline}
    for name, delay in calibration.actions.items():
        if name.split()[0] in taken:
            console.print(f"{name:<18} p50 {delay.p50:>8.3g} s  p99 {delay.p99:>8.3g} s")
    console.print(f"Written: {out}; use it with `bindrill drill NAME --predict"
                  f" --drill-calibration {shell_word(str(out))}`")  # fmt: skip
    return EXIT_MET


def measured_table(runs: Path, out: Path, calibration: Path | None = None) -> int:
    """Predict every shipped drill, lay the measured drills below `runs` beside it, write the table
    `out`; the exit code. Measured drills of earlier tables stay.

    Raises the exceptions of `bindrill.errors.user_problems`.
    """
    check_table(out, "--table", [calibration] if calibration else [])
    results = measured_drills(runs)
    figures = load_drill_calibration(calibration or SHIPPED)
    notes = read_notes(notes_file(out))
    before = kept_rows(out, MeasuredRow, otherwise="begin a new table")
    kept = {row.drill: row for row in before}
    console = plain_console()
    rows = []
    for name in drill_names():
        scenario = load_drill(name)
        predicted = predict(scenario, drills=DRILLS, calibration=figures, moment="written")
        own = {run: result for run, result in results.items() if result.name == scenario.name}
        row = _with_earlier(measured_row(predicted, own, figures.runs), kept.get(scenario.name))
        console.print(f"{name}: {len(row.measured)} measured, {row.outside()} outside")
        rows.append(row)
    write_table(out, rows, measured_page(rows, notes))
    console.print(f"Written: {out}")
    return EXIT_MET


def _with_earlier(row: MeasuredRow, before: MeasuredRow | None) -> MeasuredRow:
    """The row with the drills that an earlier table has and this one does not."""
    if before is None:
        return row
    here = {each.run for each in row.measured}
    earlier = tuple(each for each in before.measured if each.run not in here)
    return msgspec.structs.replace(row, measured=(*earlier, *row.measured))
