"""What the checker finds."""

from __future__ import annotations

import msgspec


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """Acknowledged and not there. `told`: the newest lost state, told at `told_at` (epoch seconds);
    `found`: the state on record, empty without a record; `elsewhere`: another site that has it."""

    subject: str
    told: str
    told_at: float
    found: str
    elsewhere: str = ""


class Contradiction(msgspec.Struct, frozen=True, kw_only=True):
    """Something that cannot be: `why` in one line, without personal data."""

    subject: str
    why: str


class AuditBreak(msgspec.Struct, frozen=True, kw_only=True):
    """Where a node's chain breaks: `altered` (digest and content differ), `unlinked` (the entry
    does not follow the one before it), `cut` (the newest entries, seen before, are missing from
    `sequence` on) or `replaced` (another entry than the one seen before stands there)."""

    node: str
    sequence: int
    why: str


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """The checker's findings. A binding or applicant is in one of `lost`, `redone`, `resurrected`
    and `reordered` at most.

    `acknowledged`: bindings of which customers were told a state; `acknowledgements`: answers that
    told one; `unknown`: requests whose outcome nobody was told. `rpo_seconds`: from the last
    acknowledged write before the first lost one to the fault; `lost_seconds`: from the first lost
    acknowledgement to the fault; both 0 with nothing lost or redone. `redone`: as told, but written
    only after it was told, so it was lost meanwhile and done again. `unaudited`: on record as told,
    but the audit chain does not bear it out. `unmerged`: bindings that another site has, or has
    further ahead. `audit_entries` is None when no chain could be read.
    """

    acknowledged: int
    acknowledgements: int
    unknown: int
    lost: tuple[Lost, ...] = ()
    lost_bindings: int = 0
    rpo_seconds: float = 0.0
    lost_seconds: float = 0.0
    resurrected: tuple[Contradiction, ...] = ()
    duplicated: tuple[Contradiction, ...] = ()
    redone: tuple[Contradiction, ...] = ()
    reordered: tuple[Contradiction, ...] = ()
    charged_unbound: tuple[str, ...] = ()
    bound_unagreed: tuple[str, ...] = ()
    unaudited: tuple[str, ...] = ()
    unmerged: tuple[str, ...] = ()
    audit_entries: int | None = None
    audit_breaks: tuple[AuditBreak, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether every acknowledgement holds and nothing contradicts anything."""
        return not (
            self.lost
            or self.resurrected
            or self.duplicated
            or self.redone
            or self.reordered
            or self.charged_unbound
            or self.bound_unagreed
            or self.unaudited
            or self.unmerged
            or self.audit_breaks
        )
