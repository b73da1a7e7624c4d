"""`bindrill drill`'s evidence pack and calendar, as the command line calls them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from bindrill.console import complain, plain_console, print_json
from bindrill.errors import EXIT_MET, EXIT_MISSED, InputProblem
from bindrill.leftovers import open_run, tidy
from bindrill.option_values import checked_language, parsed
from reports.drills.calendar import Calendar, CalendarRow, drill_calendar
from reports.drills.evidence import write_evidence
from reports.numbers import MISSING, shown
from scenarios.units import parse_duration

_NARROWEST = 120
"""Characters that the calendar takes."""


def make_evidence(run_folder: Path, *, lang: str, pdf: bool = True) -> Path:
    """Write the evidence of a drill's run and return its folder; what had to be left out is said in
    a line each on standard error. Raises InputProblem and RunProblem."""
    return write_evidence(run_folder, lang=checked_language(lang), pdf=pdf, tell=complain)


def remake_evidence(run_folder: Path, *, lang: str, pdf: bool = True) -> int:
    """Make the evidence of an earlier drill again, say in another language; the exit code."""
    open_run(run_folder)
    plain_console().print(f"Evidence: {make_evidence(run_folder, lang=lang, pdf=pdf)}")
    return EXIT_MET


def show_calendar(runs: Path, *, every: str | None = None, as_json: bool = False) -> int:
    """Print when each drill was last run. `every` (`90d`) adds when it is due again, and gives the
    exit code of missed objectives when one is overdue. Raises InputProblem and RunProblem."""
    tidy(runs)
    calendar = drill_calendar(runs, now=datetime.now(UTC), every=_period(every))
    if as_json:
        print_json(calendar)
    else:
        _print_table(calendar, due=every is not None)
        if calendar.unreadable:
            plain_console(stderr=True).print(f"Not readable: {', '.join(calendar.unreadable)}")
    return EXIT_MISSED if any(row.overdue for row in calendar.rows) else EXIT_MET


def _period(every: str | None) -> float | None:
    if every is None:
        return None
    period = parsed("--every", every, parse_duration)
    if period <= 0:
        raise InputProblem("--every: write a period of more than 0, such as 90d")
    return period


def _print_table(calendar: Calendar, *, due: bool) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("Drill", "Last run (UTC)", "Ago", "Runs", "Verdict", "RTO", "RPO", "Grade"):
        right = heading in {"Ago", "Runs", "RTO", "RPO", "Grade"}
        table.add_column(heading, justify="right" if right else "left", no_wrap=True)
    if due:
        table.add_column("Due", no_wrap=True)
    for row in calendar.rows:
        table.add_row(*_cells(row), *([_due(row)] if due else []))
    # A narrow terminal, or none, must not cut what is to be read or searched.
    plain_console(width=max(plain_console().width, _NARROWEST)).print(table, soft_wrap=False)


def _cells(row: CalendarRow) -> tuple[str, ...]:
    if row.last_run_utc is None:
        return (row.name, "never", MISSING, "0", MISSING, MISSING, MISSING, MISSING)
    return (
        row.name,
        row.last_run_utc[:16].replace("T", " "),
        _ago(row.age_seconds or 0.0),
        str(row.runs),
        row.verdict or MISSING,
        shown(row.rto, "s"),
        shown(row.rpo, "s"),
        MISSING if row.grade is None else str(row.grade),
    )


def _ago(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return "now"


def _due(row: CalendarRow) -> str:
    date = (row.due_utc or "")[:10]
    return f"{date or 'now'} overdue" if row.overdue else date
