"""The objectives of a drill held against what was measured."""

from __future__ import annotations

from reports.drills.grade import grade_of
from reports.drills.result import Judgement, Proof
from scenarios.drill import DrillObjectives

_DIGITS = 6


def judge(
    objectives: DrillObjectives, *, rto: float | None, rpo: float, proof: Proof | None
) -> tuple[Judgement, ...]:
    """Each objective that is stated. `rto` and `rpo` in seconds; what was not proven is missed."""
    found = []
    if objectives.rto is not None:
        met = rto is not None and at_most(rto, objectives.rto)
        measured = "not back" if rto is None else _seconds(rto, objectives.rto)
        found.append(_held("rto", f"{objectives.rto:.12g} s", measured, met))
    if objectives.rpo is not None:
        met = proof is not None and at_most(rpo, objectives.rpo)
        measured = "not proven" if proof is None else _seconds(rpo, objectives.rpo)
        found.append(_held("rpo", f"{objectives.rpo:.12g} s", measured, met))
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


def at_most(seconds: float, limit: float) -> bool:
    """Whether a measured time meets a written one, to the microsecond: times are differences of
    clocks, whose last digits are rounding."""
    return round(seconds, _DIGITS) <= limit


def _seconds(measured: float, limit: float) -> str:
    """With as many digits as it takes to see on which side of the limit it is."""
    met = at_most(measured, limit)
    texts = (f"{measured:.{digits}f}" for digits in range(1, _DIGITS))
    text = next((text for text in texts if (float(text) <= limit) == met), None)
    return f"{text or f'{measured:.{_DIGITS}f}'} s"


def _held(objective: str, limit: str, measured: str, met: bool) -> Judgement:
    return Judgement(objective=objective, limit=limit, measured=measured, met=met)
