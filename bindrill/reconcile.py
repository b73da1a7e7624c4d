"""`bindrill reconcile`: lender, bank and payment gateway compared, and repaired."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from bindrill.errors import EXIT_MET, EXIT_MISSED, InputProblem
from reports.drills.reconciliation import Comparison, Reconciliation, read_reconciliation

NO_PROPOSAL = "a person decides"


def reconcile_run(folder: Path) -> int:
    """Print the reconciliation that a run recorded. Raises RunProblem."""
    return _print(read_reconciliation(folder), repair=True)


def reconcile_servers(
    database: str | None, keys: Path | None, bank: str | None, payment: str | None, repair: bool
) -> int:
    """Reconcile running servers; what `bindrill serve` uses where nothing is given. Raises
    InputProblem, StoreUnavailable."""
    from bindrill.faults import PORTS
    from loadtests.reading import ReconcileProblem
    from loadtests.reconcile import reconcile
    from mocks.server.options import DATA

    urls = {
        "bank": bank or f"http://127.0.0.1:{PORTS['bank']}",
        "payment": payment or f"http://127.0.0.1:{PORTS['payment']}",
    }
    for name, url in urls.items():
        if not url.startswith(("http://", "https://")):
            raise InputProblem(f"--{name} {url} is not a URL; write http://127.0.0.1:{PORTS[name]}")
    if database is None:
        database = f"sqlite:///{DATA / 'lender.db'}"
        keys = keys or DATA / "keys.json"
    try:
        found = reconcile(database, keys, urls["bank"], urls["payment"], repair)
    except ReconcileProblem as problem:
        raise InputProblem(str(problem)) from None
    return _print(found, repair=repair)


def _print(found: Reconciliation, *, repair: bool) -> int:
    """0 when all three sides agree, 99 when differences are left: somebody has to act, so a
    scheduled reconciliation must not pass."""
    console = Console(highlight=False, soft_wrap=True)
    before, after = found.before, found.after
    console.print(
        f"{before.utc}: {before.bindings} bindings, {before.agreements} signed agreements,"
        f" {before.movements} movements of money"
    )
    if before.busy:
        console.print(f"{before.busy} bindings are being worked on and were left out")
    if before.findings:
        console.print(_differences(before))
    _print_money(console, "money", before)
    if found.repairs:
        table = Table("repair", "binding", "outcome", "note", box=None)
        for each in found.repairs:
            what = each.finding.repair + (f" {each.finding.to}" if each.finding.to else "")
            table.add_row(what, each.finding.subject, each.outcome, each.note)
        console.print(table)
        _print_money(console, "money after repair", after)
    if found.agrees:
        console.print("lender, bank and payment gateway agree")
        return EXIT_MET
    people = len(after.for_a_person)
    left = len(after.findings) - people
    if repair and after.findings and found.repairs:
        console.print("left:")
        console.print(_differences(after))
    console.print(f"{left} to repair, {people} for a person to decide")
    return EXIT_MISSED


def _differences(comparison: Comparison) -> Table:
    table = Table("difference", "binding", "state", "fen", "why", "repair", box=None)
    for found in comparison.findings:
        repair = NO_PROPOSAL if found.repair == "person" else found.repair
        table.add_row(
            *(found.kind, found.subject, found.found or "-"),
            *(str(found.amount_fen or "-"), found.why, f"{repair} {found.to}".rstrip()),
        )
    return table


def _print_money(console: Console, what: str, comparison: Comparison) -> None:
    money = comparison.money
    verdict = "conserved" if money.conserved else "NOT conserved"
    recorded = f"{money.recorded_charged_fen} and {money.recorded_refunded_fen}"
    console.print(
        f"{what}: charged {money.charged_fen} fen, refunded {money.refunded_fen} fen; on the"
        f" lender's record {recorded}: {verdict}"
    )
