"""`bindrill reconcile`: what it shows of a run, and how it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from mocks.lender.sql_store import SqlStore
from reports.drills.money_check import Money
from reports.drills.reconciliation import (
    Comparison,
    Finding,
    Reconciliation,
    Repaired,
    read_reconciliation,
    write_reconciliation,
)

Run = Callable[..., Any]
NOWHERE = "http://127.0.0.1:1"
TERMINATE = Finding(
    kind="agreement_without_binding",
    subject="bnd_…abc123",
    op="open",
    found="",
    why="the bank holds an agreement that no binding needs",
    repair="terminate",
)
PERSON = replace(TERMINATE, kind="refunded_too_much", repair="person", amount_fen=1)


def comparison(*findings: Finding, recorded: int = 3) -> Comparison:
    return Comparison(
        utc="2026-11-25T01:00:00.000Z",
        bindings=4,
        agreements=3,
        movements=6,
        busy=0,
        findings=findings,
        money=Money(
            charged_fen=3, refunded_fen=3, recorded_charged_fen=recorded, recorded_refunded_fen=3
        ),
    )


@pytest.mark.parametrize(
    ("after", "code", "line"),
    [
        (comparison(), 0, "lender, bank and payment gateway agree"),
        (comparison(PERSON), 99, "left: 0 to repair, 1 for a person to decide"),
        (comparison(TERMINATE, PERSON), 99, "left: 1 to repair, 1 for a person to decide"),
        (comparison(recorded=2), 99, "left: 0 to repair, 0 for a person to decide"),
    ],
)
def test_a_runs_reconciliation_is_shown(
    bindrill: Run, tmp_path: Path, after: Comparison, code: int, line: str
) -> None:
    repairs = (Repaired(finding=TERMINATE, outcome="done"),)
    record = Reconciliation(before=comparison(TERMINATE, PERSON), repairs=repairs, after=after)
    write_reconciliation(tmp_path, record)
    assert read_reconciliation(tmp_path) == record
    shown = bindrill("reconcile", tmp_path)
    assert shown.code == code
    lines = [" ".join(text.split()) for text in shown.out.splitlines()]
    assert line in lines
    assert "terminate agreement bnd_…abc123 done" in lines
    assert any(text.startswith("refunded_too_much bnd_…abc123 - 1 a person") for text in lines)


def test_bad_input_is_one_line(bindrill: Run, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'lender.db'}"
    for arguments, mend in (
        ((tmp_path,), "holds no reconciliation.json"),
        (("--db", database), "there is no such file"),
        (("--db", database, "--bank", "bank"), "--bank bank is not a URL; write http://"),
    ):
        refused = bindrill("reconcile", *arguments)
        assert (refused.code, refused.out) == (2, "")
        assert mend in refused.err
        assert refused.err.count("\n") == 1
    assert not (tmp_path / "lender.db").exists(), "looking makes no database"
    SqlStore(database).close()
    down = bindrill("reconcile", "--db", database, "--bank", NOWHERE, "--payment", NOWHERE)
    assert (down.code, down.err.count("\n")) == (2, 1)
    assert "does not answer" in down.err
    keyless = bindrill("reconcile", "--db", database, "--keys", tmp_path / "none.json")
    assert keyless.code == 2
    assert "none.json" in keyless.err
