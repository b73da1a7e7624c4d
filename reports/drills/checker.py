"""Checks what customers were told against what is on record after recovery, in the style of Jepsen.

Every acknowledgement must still hold: a state that a customer was told must be the binding's state
now, or one from which the lender's rules lead to it. Requests without an answer may have happened
or not. Where the audit chain can be read, each acknowledged state must also stand in it, written
before the customer was told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from reports.drills.audit_chain import audit_breaks
from reports.drills.books import (
    AgreementRow,
    AuditLink,
    AuditTip,
    BindingRow,
    Movement,
    SiteRecords,
)
from reports.drills.findings import Checked, Contradiction, Lost
from reports.drills.history import DOCUMENT, REGISTERED, Acknowledgement, by_subject
from reports.drills.partner_findings import (
    bound_unagreed,
    charged_unbound,
    duplicated,
    in_order,
)
from scenarios.contract import State

CLOCK_TOLERANCE = 1.0
"""Seconds by which the lender's clock may be ahead of the load generator's."""

_S = State
_STEPS: dict[State, tuple[State, ...]] = {
    _S.CARD_SUBMITTED: (_S.OTP_SENT, _S.EXPIRED),
    _S.OTP_SENT: (_S.VERIFYING, _S.LOCKED, _S.EXPIRED),
    _S.VERIFYING: (_S.VERIFIED, _S.REJECTED, _S.FAILED, _S.OTP_SENT),
    _S.VERIFIED: (_S.AUTHORISED, _S.EXPIRED),
    _S.AUTHORISED: (_S.PAYING, _S.EXPIRED),
    _S.PAYING: (_S.ACTIVE, _S.FAILED, _S.AUTHORISED),
    _S.ACTIVE: (),
    _S.REJECTED: (),
    _S.EXPIRED: (),
    _S.LOCKED: (),
    _S.FAILED: (),
}
"""Where the lender's rules lead from each state. Back from VERIFYING and PAYING when the partner
certainly did nothing."""
_RETURNS = frozenset({(_S.VERIFYING, _S.OTP_SENT), (_S.PAYING, _S.AUTHORISED)})
"""Told the first, found the second: only the audit chain tells a return from a loss."""
_ENDED = frozenset({_S.REJECTED, _S.EXPIRED, _S.LOCKED, _S.FAILED})

_WRITTEN_AS: dict[str, tuple[str, ...]] = {
    **{state: (state.lower(),) for state in State},
    _S.EXPIRED: ("expired", "superseded"),
    _S.LOCKED: ("otp_wrong",),
    REGISTERED: ("registered",),
}
"""The audit actions that bear out each state."""


def _closure() -> dict[str, frozenset[State]]:
    reach: dict[str, frozenset[State]] = {}
    for state in State:
        found, open_ = {state}, [state]
        while open_:
            new = set(_STEPS[open_.pop()]) - found
            found |= new
            open_ += new
        reach[state] = frozenset(found)
    return reach


REACHABLE = _closure()
"""The states that a binding may be in later, itself included, by the state now."""


def check(
    history: Sequence[Acknowledgement],
    serving: SiteRecords,
    *,
    others: Sequence[SiteRecords] = (),
    agreements: Iterable[AgreementRow] | None = None,
    movements: Iterable[Movement] | None = None,
    tips: Iterable[AuditTip] = (),
    fault_at: float | None = None,
    tolerance: float = CLOCK_TOLERANCE,
) -> Checked:
    """Look every acknowledgement up.

    `serving` is the database that customers meet after recovery, `others` those that served before
    or stand by. Without `agreements` and `movements` the partners' side is not checked. `tips` are
    ends of audit chains seen while the system ran. `fault_at`, in seconds since the epoch: without
    it, work is lost up to the last lost acknowledgement.
    """
    told = by_subject(history)
    trails = _trails(serving.audit)
    lost: list[Lost] = []
    gone: list[Acknowledgement] = []
    kept: list[Acknowledgement] = []
    resurrected: list[Contradiction] = []
    redone: list[Contradiction] = []
    reordered: list[Contradiction] = []
    unaudited: list[str] = []
    for subject, acks in told.items():
        trail = None if trails is None else trails.get(subject, [])
        missing = [ack for ack in acks if not _holds(ack, serving, trail)]
        again = [ack for ack in acks if ack not in missing and _redone(ack, trail, tolerance)]
        gone += [*missing, *again]
        kept += [ack for ack in acks if ack not in missing and ack not in again]
        revived = _revived(missing, serving)
        if revived is not None:
            resurrected.append(revived)
        elif missing:
            lost.append(_lost(missing, serving, others))
        elif why := _out_of_order(acks, trail):
            reordered.append(Contradiction(subject=subject, why=why))
        elif again:
            states = ", ".join(dict.fromkeys(ack.state for ack in again))
            redone.append(Contradiction(subject=subject, why=f"{states} was done again"))
        elif trail is not None and any(not _written(ack, trail) for ack in acks):
            unaudited.append(subject)
    rpo, age = _lost_time(gone, kept, fault_at)
    return Checked(
        acknowledged=sum(_is_binding(acks[0]) for acks in told.values()),
        acknowledgements=sum(map(len, told.values())),
        unknown=sum(each.outcome == "unknown" for each in history),
        lost=tuple(sorted(lost, key=lambda each: (each.told_at, each.subject))),
        lost_bindings=sum(each.told in REACHABLE for each in lost),
        rpo_seconds=rpo,
        lost_seconds=age,
        resurrected=in_order(resurrected),
        duplicated=duplicated((serving, *others), agreements, movements),
        redone=in_order(redone),
        reordered=in_order(reordered),
        charged_unbound=charged_unbound(serving, movements),
        bound_unagreed=bound_unagreed(serving, agreements),
        unaudited=tuple(sorted(unaudited)),
        unmerged=_unmerged(serving, others),
        audit_entries=None if serving.audit is None else len(serving.audit),
        audit_breaks=audit_breaks(serving.audit, tips),
    )


# ── one acknowledgement ─────────────────────────────────────────────────────────────────────────


def _is_binding(ack: Acknowledgement) -> bool:
    return ack.state in REACHABLE


def _holds(ack: Acknowledgement, site: SiteRecords, trail: list[AuditLink] | None) -> bool:
    """Whether what was told is on record, or was left for a state that may follow it."""
    if not _is_binding(ack):
        documents = site.applicants.get(ack.subject)
        if documents is None:
            return False
        kind = ack.state.removeprefix(DOCUMENT).strip()
        return ack.state == REGISTERED or kind in documents
    row = site.bindings.get(ack.subject)
    if row is None or row.state not in REACHABLE[ack.state]:
        return False
    if (ack.state, row.state) in _RETURNS and trail is not None:
        return _written(ack, trail)
    return True


def _revived(missing: list[Acknowledgement], site: SiteRecords) -> Contradiction | None:
    """A binding that was told to be over and is not."""
    for ack in missing:
        row = site.bindings.get(ack.subject)
        if ack.state in _ENDED and row is not None and row.state not in _ENDED:
            return Contradiction(
                subject=ack.subject, why=f"the customer was told {ack.state}; it is {row.state}"
            )
    return None


def _lost(missing: list[Acknowledgement], site: SiteRecords, others: Sequence[SiteRecords]) -> Lost:
    newest = missing[-1]
    row = site.bindings.get(newest.subject)
    if _is_binding(newest):
        found = "" if row is None else str(row.state)
    else:
        found = REGISTERED if newest.subject in site.applicants else ""
    return Lost(
        subject=newest.subject,
        told=newest.state,
        told_at=newest.completed,
        found=found,
        elsewhere=next((each.site for each in others if _holds(newest, each, None)), ""),
    )


def _lost_time(
    gone: list[Acknowledgement], kept: list[Acknowledgement], fault_at: float | None
) -> tuple[float, float]:
    """Seconds of work lost: since the last write that stayed, and since the first that went."""
    if not gone:
        return 0.0, 0.0
    first = min(ack.completed for ack in gone)
    end = max(ack.completed for ack in gone) if fault_at is None else fault_at
    before = [ack.completed for ack in kept if ack.step != "status" and ack.completed < first]
    last = max(before, default=first)
    return max(0.0, end - last), max(0.0, end - first)


# ── order, and the audit chain ──────────────────────────────────────────────────────────────────


def _trails(audit: tuple[AuditLink, ...] | None) -> dict[str, list[AuditLink]] | None:
    if audit is None:
        return None
    trails: dict[str, list[AuditLink]] = defaultdict(list)
    for link in sorted(audit, key=lambda each: (each.node, each.sequence)):
        trails[link.subject].append(link)
    return trails


def _evidence(ack: Acknowledgement, trail: list[AuditLink]) -> list[AuditLink]:
    actions = _WRITTEN_AS.get(ack.state, (DOCUMENT.lower(),))
    return [link for link in trail if link.action in actions]


def _written(ack: Acknowledgement, trail: list[AuditLink]) -> bool:
    return bool(_evidence(ack, trail))


def _redone(ack: Acknowledgement, trail: list[AuditLink] | None, tolerance: float) -> bool:
    """Whether what was told was written only later: the first write is gone."""
    found = [] if trail is None else _evidence(ack, trail)
    return bool(found) and min(link.at for link in found) > ack.completed + tolerance


def _out_of_order(acks: list[Acknowledgement], trail: list[AuditLink] | None) -> str:
    """Why the acknowledgements cannot have come in this order; empty when they can."""
    for nth, later in enumerate(acks):
        for earlier in acks[:nth]:
            # Requests that overlap may have been worked on in either order.
            if earlier.completed >= later.invoked or not _is_binding(earlier):
                continue
            if later.state not in REACHABLE[earlier.state]:
                return f"{later.state} was told after {earlier.state}"
            if trail is not None and earlier.state != later.state:
                why = _written_backwards(earlier, later, trail)
                if why:
                    return why
    return ""


def _written_backwards(
    earlier: Acknowledgement, later: Acknowledgement, trail: list[AuditLink]
) -> str:
    first = _evidence(earlier, trail)
    then = _evidence(later, trail)
    # Chains of different nodes have no common order.
    if not first or not then or len({link.node for link in (*first, *then)}) > 1:
        return ""
    if min(link.sequence for link in first) < max(link.sequence for link in then):
        return ""
    return f"{later.state} was told after {earlier.state} and stands before it in the audit chain"


# ── other sites ─────────────────────────────────────────────────────────────────────────────────


def _unmerged(site: SiteRecords, others: Sequence[SiteRecords]) -> tuple[str, ...]:
    """Bindings of which another site knows something that is not part of the serving one's past."""
    return tuple(
        sorted(
            {
                row.binding_id
                for other in others
                for row in other.bindings.values()
                if not _is_past(row, site.bindings)
            }
        )
    )


def _is_past(row: BindingRow, bindings: Mapping[str, BindingRow]) -> bool:
    now = bindings.get(row.binding_id)
    return now is not None and now.state in REACHABLE[row.state]
