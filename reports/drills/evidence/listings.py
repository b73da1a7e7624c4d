"""The pack's plain files: timeline, findings, repairs, commands, versions, for people and programs.

Words in them are those of `drill.json`, whatever the language of the report.
"""

from __future__ import annotations

from collections.abc import Sequence

from reports.drills.evidence.dossier import Dossier
from reports.drills.result import PHASES, Agreeing, Proof
from scenarios.csv_cells import csv_text

TIMELINE_COLUMNS = (
    "utc", "seconds", "ended_utc", "took_seconds", "phase", "role", "action", "target", "detail",
    "commands",
)  # fmt: skip

FINDINGS = (
    "lost", "redone", "resurrected", "duplicated", "reordered", "charged_unbound",
    "bound_unagreed", "audit_breaks",
)  # fmt: skip
"""Fields of `Proof` that name what is wrong, the gravest first."""


def timeline_csv(dossier: Dossier) -> str:
    """Every action and, with the role `mark`, the moments that the times to recovery count from
    and to; in the order of time."""
    rows: list[tuple[float, Sequence[str]]] = []
    for step in dossier.result.timeline:
        ended = "" if step.ended is None else dossier.utc(step.ended)
        took = "" if step.ended is None else f"{step.ended - step.began:.3f}"
        what = (step.phase, step.role, step.do, step.target, step.detail, "; ".join(step.commands))
        rows.append((step.began, (step.utc, f"{step.began:.3f}", ended, took, *what)))
    for at, phase, action in _marks(dossier):
        rows.append((at, (dossier.utc(at), f"{at:.3f}", "", "", phase, "mark", action, "", "", "")))
    rows.sort(key=lambda row: row[0])
    return csv_text(TIMELINE_COLUMNS, (cells for _, cells in rows))


def _marks(dossier: Dossier) -> list[tuple[float, str, str]]:
    result = dossier.result
    if result.fault_at is None:
        return []
    marks = [(result.fault_at, "", "customers feel the fault")]
    at = result.fault_at
    for part in sorted(result.phases, key=lambda part: PHASES.index(part.phase)):
        at += part.seconds
        marks.append((at, part.phase, "end of phase"))
    return marks


def findings_csv(proof: Proof | None) -> str:
    """Each item that the proof names, by kind of finding; identifiers are masked."""
    rows = [(kind, item) for kind in FINDINGS for item in (getattr(proof, kind) if proof else ())]
    return csv_text(("finding", "item"), rows)


def repairs_csv(agreeing: Agreeing | None) -> str:
    """Each difference that reconciliation found, with its repair."""
    rows = [
        (each.kind, each.subject, each.proposal, each.outcome, each.amount_fen)
        for each in (agreeing.repairs if agreeing else ())
    ]
    return csv_text(("difference", "item", "proposal", "outcome", "amount_fen"), rows)


def commands_txt(dossier: Dossier) -> str:
    """What was typed to start the drill, then what each action ran."""
    lines = ["# Started with", dossier.command or "# (not recorded)"]
    for step in dossier.result.timeline:
        lines += ["", f"# {step.utc} {step.do} {step.target}".rstrip()]
        lines += step.commands or ["# (no command)"]
    return "".join(f"{line}\n" for line in lines)


def versions_txt(dossier: Dossier) -> str:
    """Programs and libraries with their versions, then the machine."""
    lines = [f"{name} {version}" for name, version in sorted(dossier.result.versions.items())]
    lines += ["", *(f"{name}: {value}" for name, value in sorted(dossier.machine.items()))]
    return "".join(f"{line}\n" for line in lines)
