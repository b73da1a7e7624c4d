"""What a reconciliation found, did, and left: the record of one, as a file in the run's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from reports.drills.books import Books, masked
from reports.drills.differences import Difference, Repair, differences
from reports.drills.money_check import Money, money
from reports.run_folder import RunProblem, write_record

FILE = "reconciliation.json"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A difference as it is shown: `subject` is the masked binding, `op` the partner's operation,
    `repair` what is proposed, `to` the state that it sets."""

    kind: str
    subject: str
    op: str
    found: str
    why: str
    repair: Repair
    amount_fen: int = 0
    to: str = ""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """All three sides at one moment (`utc`). `busy` counts bindings that the lender was still
    working on, which are left out."""

    utc: str
    bindings: int
    agreements: int
    movements: int
    busy: int
    findings: tuple[Finding, ...]
    money: Money

    @property
    def agrees(self) -> bool:
        """Whether nothing differs, to the fen."""
        return not self.findings and self.money.conserved

    @property
    def for_a_person(self) -> tuple[Finding, ...]:
        """What no repair is proposed for."""
        return tuple(found for found in self.findings if found.repair == "person")


class Repaired(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a repair. `skipped`: somebody else had changed the binding meanwhile."""

    finding: Finding
    outcome: Literal["done", "skipped", "failed"]
    note: str = ""


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """Found, repaired, and looked at again; `after` equals `before` when nothing was repaired."""

    before: Comparison
    repairs: tuple[Repaired, ...]
    after: Comparison

    @property
    def agrees(self) -> bool:
        """Whether lender, bank and payment gateway agree in the end."""
        return self.after.agrees


def compare(books: Books, utc: str) -> tuple[Comparison, list[Difference]]:
    """The comparison to show, and the differences themselves, to be repaired."""
    found, busy = differences(books)
    comparison = Comparison(
        utc=utc,
        bindings=len(books.bindings),
        agreements=sum(row.kind == "signed" for row in books.agreements),
        movements=len(books.movements),
        busy=len(busy),
        findings=tuple(shown(difference) for difference in found),
        money=money(books, busy),
    )
    return comparison, found


def shown(difference: Difference) -> Finding:
    """A difference with its identifiers masked."""
    return Finding(
        kind=difference.kind,
        subject=masked(difference.binding_id),
        op=difference.order_no.rpartition("-")[2],
        found=difference.found,
        why=difference.why,
        repair=difference.repair,
        amount_fen=difference.amount_fen,
        to=difference.to,
    )


def write_reconciliation(folder: Path, reconciliation: Reconciliation) -> Path:
    """Write `reconciliation.json` into a run's folder."""
    return write_record(folder / FILE, reconciliation, indent=2)


def read_reconciliation(folder: Path) -> Reconciliation:
    """The reconciliation of a run's folder. Raises RunProblem."""
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Reconciliation)
    except (FileNotFoundError, NotADirectoryError):
        raise RunProblem(
            f"{folder} holds no {FILE}; give the folder of a drill that reconciled"
        ) from None
    except (OSError, msgspec.MsgspecError) as error:
        raise RunProblem(f"{path} cannot be read: {error}") from None
