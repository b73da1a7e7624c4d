"""`bindrill reconcile`: lender, bank and payment gateway compared, and repaired."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from bindrill.console import plain_console
from bindrill.errors import EXIT_FAILED, EXIT_MET, EXIT_MISSED, InputProblem
from reports.drills.reconciliation import (
    Comparison,
    Finding,
    Reconciliation,
    Repaired,
    read_reconciliation,
)
from reports.text_table import aligned
from scenarios.addresses import server_url


def reconcile_run(folder: Path) -> int:
    """Print the reconciliation that a run recorded. Raises RunProblem."""
    return _print(read_reconciliation(folder))


def reconcile_servers(
    database: str | None, keys: Path | None, bank: str | None, payment: str | None, repair: bool
) -> int:
    """Reconcile running servers; what `bindrill serve` uses where nothing is given. Raises
    AddressProblem, InputProblem, StoreUnavailable."""
    from bindrill.faults import PORTS
    from loadtests.reading import ReconcileProblem
    from loadtests.reconcile import reconcile
    from mocks.server.options import DATA

    urls = {
        "bank": bank or f"http://127.0.0.1:{PORTS['bank']}",
        "payment": payment or f"http://127.0.0.1:{PORTS['payment']}",
    }
    for name, url in urls.items():
        server_url(f"--{name}", url, f"http://127.0.0.1:{PORTS[name]}")
    if database is None:
        database = f"sqlite:///{DATA / 'lender.db'}"
        keys = keys or DATA / "keys.json"
    try:
        found = reconcile(database, keys, urls["bank"], urls["payment"], repair)
    except ReconcileProblem as problem:
        raise InputProblem(str(problem)) from None
    return _print(found)


def _print(found: Reconciliation) -> int:
    """0 when all three sides agree, 99 when differences are left: somebody has to act, so a
    scheduled reconciliation must not pass; 97 when none of them has anything to compare."""
    console = plain_console()
    before, after = found.before, found.after
    console.print(
        f"{before.utc}: {before.bindings} bindings, {before.agreements} signed agreements,"
        f" {before.movements} movements of money"
    )
    if not (before.bindings or before.agreements or before.movements):
        console.print("nothing to compare: are these the servers and the database that were meant?")
        return EXIT_FAILED
    if before.busy:
        console.print(f"{before.busy} bindings are being worked on and were left out")
    _print_table(console, _differences(before))
    _print_money(console, "money", before)
    if found.repairs:
        _print_table(console, _repairs(found.repairs))
        _print_money(console, "money after repair", after)
    if found.agrees:
        console.print("lender, bank and payment gateway agree")
        return EXIT_MET
    if found.repairs:
        _print_table(console, _differences(after))
    people = len(after.for_a_person)
    console.print(
        f"left: {len(after.findings) - people} to repair, {people} for a person to decide"
    )
    return EXIT_MISSED


def _differences(comparison: Comparison) -> list[tuple[str, ...]]:
    rows = [
        (
            *(found.kind, found.subject, found.found or "-", str(found.amount_fen or "-")),
            *(_proposal(found), found.why),
        )
        for found in comparison.findings
    ]
    return [("difference", "binding", "state", "fen", "repair", "why"), *rows] if rows else []


def _repairs(repairs: tuple[Repaired, ...]) -> list[tuple[str, ...]]:
    rows = [
        (_proposal(each.finding), each.finding.subject, each.outcome, each.note) for each in repairs
    ]
    return [("repair", "binding", "outcome", "note"), *rows]


def _proposal(found: Finding) -> str:
    if found.repair == "person":
        return "a person decides"
    if found.repair == "terminate":
        return "terminate agreement"
    return f"{found.repair} {found.to or found.op}"


def _print_table(console: Console, rows: list[tuple[str, ...]]) -> None:
    for line in aligned(rows) if rows else ():
        console.print(line)


def _print_money(console: Console, what: str, comparison: Comparison) -> None:
    money = comparison.money
    verdict = "conserved" if money.conserved else "NOT conserved"
    recorded = f"{money.recorded_charged_fen} and {money.recorded_refunded_fen}"
    console.print(
        f"{what}: charged {money.charged_fen} fen, refunded {money.refunded_fen} fen; on the"
        f" lender's record {recorded}: {verdict}"
    )
