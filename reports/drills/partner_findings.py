"""What the partners' files say against the bindings on record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from reports.drills.books import AgreementRow, Movement, SiteRecords, binding_of
from reports.drills.findings import Contradiction
from scenarios.contract import State


def duplicated(
    sites: Sequence[SiteRecords],
    agreements: Iterable[AgreementRow] | None,
    movements: Iterable[Movement] | None,
) -> tuple[Contradiction, ...]:
    """What there should be one of and is not: ACTIVE bindings of a card on all sites together,
    charges of a binding, agreements of a binding."""
    holders: dict[str, dict[str, None]] = defaultdict(dict)
    for site in sites:
        for row in site.bindings.values():
            if row.state == State.ACTIVE and row.card:
                holders[row.card][row.binding_id] = None
    found = [
        Contradiction(subject=binding, why=f"one card has {len(bindings)} ACTIVE bindings")
        for bindings in holders.values()
        if len(bindings) > 1
        for binding in bindings
    ]
    charges: dict[str, int] = defaultdict(int)
    for movement in movements or ():
        if movement.kind == "charge":
            charges[binding_of(movement.order_no)] += 1
    found += [
        Contradiction(subject=binding, why=f"charged {count} times")
        for binding, count in charges.items()
        if count > 1
    ]
    signed: dict[str, set[str]] = defaultdict(set)
    for signing in active_agreements(agreements or ()):
        signed[binding_of(signing.order_no)].add(signing.agreement_no)
    found += [
        Contradiction(subject=binding, why=f"{len(numbers)} agreements at the bank")
        for binding, numbers in signed.items()
        if len(numbers) > 1
    ]
    return in_order(found)


def active_agreements(rows: Iterable[AgreementRow]) -> list[AgreementRow]:
    """Signings whose agreement was not terminated since."""
    rows = sorted(rows, key=lambda row: row.time)
    ended = {row.agreement_no: row.time for row in rows if row.kind == "terminated"}
    return [
        row for row in rows if row.kind == "signed" and row.time > ended.get(row.agreement_no, -1.0)
    ]


def charged_unbound(site: SiteRecords, movements: Iterable[Movement] | None) -> tuple[str, ...]:
    """Bindings that were charged and are not on record."""
    charged = {binding_of(each.order_no) for each in movements or () if each.kind == "charge"}
    return tuple(sorted(charged - site.bindings.keys()))


def bound_unagreed(site: SiteRecords, agreements: Iterable[AgreementRow] | None) -> tuple[str, ...]:
    """ACTIVE bindings whose agreement the bank does not have."""
    if agreements is None:
        return ()
    known = {row.agreement_no for row in active_agreements(agreements)}
    return tuple(
        sorted(
            row.binding_id
            for row in site.bindings.values()
            if row.state == State.ACTIVE and row.agreement_no not in known
        )
    )


def in_order(found: Iterable[Contradiction]) -> tuple[Contradiction, ...]:
    """Contradictions by subject."""
    return tuple(sorted(found, key=lambda each: (each.subject, each.why)))
