"""What became of the acknowledged work: the databases after recovery against what customers were
told, and the partners' books."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from loadtests.drill.clock import DrillClock
from loadtests.reading import opened, read_agreements, read_movements, read_site
from loadtests.topologies.base import Topology
from mocks.lender.records import PartnerCall
from mocks.lender.store import StoreUnavailable
from reports.drills.books import masked
from reports.drills.checker import check
from reports.drills.findings import Checked
from reports.drills.history import read_acknowledgements
from reports.drills.reconciliation import Reconciliation
from reports.drills.result import Agreeing, Proof, Repair

SETTLE = 20.0
"""Seconds that the lender gets to finish its partner calls after the load."""
_LOOK_EVERY = 0.5

_OUTCOMES: Mapping[str, str] = {"done": "done", "skipped": "proposed", "failed": "failed"}
_PERSON = "person"


def settle(topology: Topology, clock: DrillClock) -> int:
    """Wait until the lender has finished its partner calls, for SETTLE seconds at most; how many
    are open then. Not waited for are calls that somebody who is gone holds for longer than that.
    Raises Stopped."""
    until = time.time() + SETTLE
    left = 0

    def quiet() -> bool:
        nonlocal left
        try:
            with opened(topology.database) as store:
                held = [c.due_at for c in store.records(PartnerCall) if c.status != "DONE"]
        except StoreUnavailable:
            return False
        left = len(held)
        return all(due is not None and due > until for due in held)

    clock.until(quiet, SETTLE, _LOOK_EVERY)
    return left


def prove(topology: Topology, urls: Mapping[str, str], folder: Path, fault_at: float) -> Checked:
    """Look up every acknowledgement below `folder` (the run's `live/`) in the database that serves,
    and what the partners have on record. `fault_at` in seconds since the epoch. Raises
    StoreUnavailable and ReconcileProblem."""
    now = time.time()
    return check(
        read_acknowledgements(folder),
        read_site(topology.database),
        others=[read_site(url, name) for name, url in topology.others.items()],
        agreements=read_agreements(urls["bank"], now),
        movements=read_movements(urls["payment"], now),
        fault_at=fault_at,
    )


def proof_of(checked: Checked) -> Proof:
    """The findings as `drill.json` holds them."""
    return Proof(
        acknowledged=checked.acknowledged,
        lost=tuple(masked(each.subject) for each in checked.lost),
        lost_bindings=checked.lost_bindings,
        lost_seconds=round(checked.lost_seconds, 3),
        kept_seconds=round(checked.rpo_seconds, 3),
        unknown=checked.unknown,
        resurrected=tuple(f"{masked(e.subject)}: {e.why}" for e in checked.resurrected),
        duplicated=tuple(f"{masked(e.subject)}: {e.why}" for e in checked.duplicated),
        redone=tuple(f"{masked(e.subject)}: {e.why}" for e in checked.redone),
        reordered=tuple(f"{masked(e.subject)}: {e.why}" for e in checked.reordered),
        charged_unbound=tuple(map(masked, checked.charged_unbound)),
        bound_unagreed=tuple(map(masked, checked.bound_unagreed)),
        audit_breaks=tuple(f"{e.node} {e.sequence}: {e.why}" for e in checked.audit_breaks),
    )


def agreeing(found: Reconciliation, earlier: tuple[Repair, ...] = ()) -> Agreeing:
    """A reconciliation as `drill.json` holds it, after the repairs of `earlier` ones."""
    repairs = [
        Repair(
            kind=each.finding.kind,
            subject=each.finding.subject,
            proposal=each.finding.repair,
            outcome=_OUTCOMES[each.outcome],  # type: ignore[arg-type]
            amount_fen=each.finding.amount_fen,
        )
        for each in found.repairs
    ]
    left = [
        Repair(
            kind=each.kind,
            subject=each.subject,
            proposal=each.why,
            outcome="a person decides",
            amount_fen=each.amount_fen,
        )
        for each in found.after.findings
        if each.repair == _PERSON
    ]
    money = found.after.money
    return Agreeing(
        repairs=(*earlier, *repairs, *left),
        left=len(found.after.findings),
        charged_fen=money.charged_fen,
        refunded_fen=money.refunded_fen,
        conserved=money.conserved,
    )
