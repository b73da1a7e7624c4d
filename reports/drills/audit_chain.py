"""Whether a node's audit chain is whole, and goes on from where it was last seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from reports.drills.books import AuditLink, AuditTip
from reports.drills.findings import AuditBreak

GENESIS = "0" * 64
"""`previous` of a chain's first entry."""


def audit_breaks(
    audit: tuple[AuditLink, ...] | None, tips: Iterable[AuditTip]
) -> tuple[AuditBreak, ...]:
    """The first break of each node's chain; `tips` are ends seen before, from elsewhere."""
    if audit is None:
        return ()
    chains: dict[str, list[AuditLink]] = defaultdict(list)
    for link in sorted(audit, key=lambda each: (each.node, each.sequence)):
        chains[link.node].append(link)
    found: dict[str, AuditBreak] = {}
    for node, chain in chains.items():
        if (at := _first_break(chain)) is not None:
            found[node] = AuditBreak(node=node, sequence=at[0], why=at[1])
    for tip in sorted(tips, key=lambda each: (each.node, each.sequence)):
        digests = {link.sequence: link.digest for link in chains.get(tip.node, [])}
        if digests.get(tip.sequence) == tip.digest or tip.node in found:
            continue
        newest = max(digests, default=0)
        cut = newest < tip.sequence
        found[tip.node] = AuditBreak(
            node=tip.node,
            sequence=newest + 1 if cut else tip.sequence,
            why="cut" if cut else "replaced",
        )
    return tuple(found[node] for node in sorted(found))


def _first_break(chain: list[AuditLink]) -> tuple[int, str] | None:
    previous = GENESIS
    for sequence, link in enumerate(chain, start=1):
        if link.sequence != sequence or link.previous != previous:
            return sequence, "unlinked"
        if not link.sound:
            return sequence, "altered"
        previous = link.digest
    return None
