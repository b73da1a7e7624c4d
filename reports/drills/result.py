"""What `drill.json` holds: the evidence of one drill, in the order in which it came about.

Times without a unit in their name are seconds since the run began; `utc` is ISO 8601 with
milliseconds and `Z`. Identifiers are masked. Money is in CNY fen.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from reports.run_folder import Verdict, read_record, write_record
from scenarios.ceilings.met import Met

FILE = "drill.json"
UNDER_WAY = "under way, or killed"
"""The note of a drill that has not ended."""

PhaseName = Literal["detect", "decide", "act", "warm_up", "back"]
PHASES: tuple[PhaseName, ...] = ("detect", "decide", "act", "warm_up", "back")
"""From the fault: until the alarm, until the order, until the last action has ended, until the
first customer is served, until service is at its objective."""


class TimelineEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One step as it was carried out. `commands` are what ran, without secrets; `detail` is what
    came of it in one line; `ended` is None for a step that was interrupted."""

    do: str
    target: str
    role: Literal["destroys", "heals"]
    phase: Literal["detect", "decide", "act"]
    began: float
    ended: float | None
    utc: str
    commands: tuple[str, ...] = ()
    detail: str = ""


class PhaseTime(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the time to recovery, in seconds."""

    phase: PhaseName
    seconds: float


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the work that customers had been told was done.

    `acknowledged` counts bindings with an acknowledged step; `lost` names bindings, and applicants,
    whose acknowledged state is not there after recovery, `lost_bindings` counts the bindings among
    them. `lost_seconds` is the age of the oldest lost acknowledgement at the fault (the RPO; 0 with
    nothing lost), `kept_seconds` that of the last one before it that is still there: the data is
    from a moment between the two. `redone` were lost too, but customers or the lender did them
    again; `resurrected`, `duplicated` and `reordered` are further contradictions,
    `charged_unbound` have a charge and no binding, `bound_unagreed` a binding and no agreement at
    the bank. `audit_breaks` names nodes whose chain is broken, and where.
    """

    acknowledged: int
    lost: tuple[str, ...]
    lost_seconds: float
    lost_bindings: int = 0
    kept_seconds: float = 0.0
    unknown: int = 0
    resurrected: tuple[str, ...] = ()
    duplicated: tuple[str, ...] = ()
    redone: tuple[str, ...] = ()
    reordered: tuple[str, ...] = ()
    charged_unbound: tuple[str, ...] = ()
    bound_unagreed: tuple[str, ...] = ()
    audit_breaks: tuple[str, ...] = ()


class Repair(msgspec.Struct, frozen=True, kw_only=True):
    """One difference between lender, bank and payment gateway, and what was done about it."""

    kind: str
    subject: str
    proposal: str
    outcome: Literal["proposed", "done", "failed", "a person decides"]
    amount_fen: int = 0


class Agreeing(msgspec.Struct, frozen=True, kw_only=True):
    """Reconciliation: `repairs` were needed; `left` differences remain for a person; money is
    conserved when what the payment gateway holds is what the lender's records say, to the fen."""

    repairs: tuple[Repair, ...]
    left: int
    charged_fen: int
    refunded_fen: int
    conserved: bool


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """One objective of the drill: as it was stated, as it was measured, and whether it holds."""

    objective: str
    limit: str
    measured: str
    met: bool


class DrillResult(msgspec.Struct, frozen=True, kw_only=True):
    """One drill. `fault_at` is when the first destroying step that customers could feel began;
    `rto` is from there until service was at its objective (None: it never was); `rpo` is
    `proof.lost_seconds` where something was lost. `grade` is that of GB/T 20988-2007, None below
    1. `logs` are SHA-256 digests by file name in the run folder. `limits`: ceilings of the testbed
    itself that were met; `judged`: whether objectives were, in spite of them."""

    format: int = 1
    name: str
    title: str
    topology: str
    state: Literal["complete", "interrupted", "failed"]
    note: str
    started_utc: str
    fault_at: float | None
    back_at: float | None
    rto: float | None
    rpo: float
    phases: tuple[PhaseTime, ...]
    timeline: tuple[TimelineEntry, ...]
    proof: Proof | None
    reconciliation: Agreeing | None
    judgements: tuple[Judgement, ...]
    grade: int | None
    versions: dict[str, str]
    logs: dict[str, str]
    limits: tuple[Met, ...] = ()
    judged: bool = True

    @property
    def verdict(self) -> Verdict:
        """`met` when the drill was carried out and every objective holds."""
        if self.state != "complete":
            return self.state
        if not self.judged:
            return "limited"
        return "met" if all(each.met for each in self.judgements) else "missed"

    @property
    def met(self) -> bool:
        """Whether the drill was carried out, and judged, and every objective holds."""
        return self.verdict == "met"

    def save(self, folder: Path) -> None:
        """Write `drill.json` into the run folder."""
        write_record(folder / FILE, self, indent=2)


def load_result(folder: Path) -> DrillResult:
    """The drill of a run folder. Raises RunProblem."""
    missing = f"{folder} holds no {FILE}; give the folder of a drill"
    return read_record(folder / FILE, DrillResult, missing=missing)
