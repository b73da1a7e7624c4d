"""The objectives of a drill held against what was measured."""

from __future__ import annotations

from reports.drills.grade import grade_of
from reports.drills.result import Judgement, Proof
from scenarios.drill import DrillObjectives


def judge(
    objectives: DrillObjectives, *, rto: float | None, rpo: float, proof: Proof | None
) -> tuple[Judgement, ...]:
    """Each objective that is stated. `rto` and `rpo` in seconds; what was not proven is missed."""
    found = []
    if objectives.rto is not None:
        measured = "not back" if rto is None else f"{rto:.1f} s"
        met = rto is not None and rto <= objectives.rto
        found.append(_held("rto", f"{objectives.rto:g} s", measured, met))
    if objectives.rpo is not None:
        measured = "not proven" if proof is None else f"{rpo:.1f} s"
        met = proof is not None and rpo <= objectives.rpo
        found.append(_held("rpo", f"{objectives.rpo:g} s", measured, met))
    if objectives.lost is not None:
        measured = "not proven" if proof is None else str(proof.lost_bindings)
        met = proof is not None and proof.lost_bindings <= objectives.lost
        found.append(_held("lost", str(objectives.lost), measured, met))
    if objectives.grade is not None:
        grade = None if proof is None else grade_of(rto, rpo)
        measured = "none" if grade is None else str(grade)
        met = grade is not None and grade >= objectives.grade
        found.append(_held("grade", str(objectives.grade), measured, met))
    return tuple(found)


def _held(objective: str, limit: str, measured: str, met: bool) -> Judgement:
    return Judgement(objective=objective, limit=limit, measured=measured, met=met)
