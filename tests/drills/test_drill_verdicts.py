"""Grades by GB/T 20988-2007, and objectives held against what was measured."""

from __future__ import annotations

import pytest

from reports.drills.grade import DAY, HOUR, MINUTE, grade_of
from reports.drills.judge import judge
from reports.drills.result import Proof
from scenarios.drill import DrillObjectives


@pytest.mark.parametrize(
    ("rto", "rpo", "grade"),
    [
        (5 * MINUTE, 0, 6),
        (5 * MINUTE, 0.1, 5),
        (5 * HOUR, 0, 5),
        (DAY, 30 * MINUTE, 5),
        (DAY, 31 * MINUTE, 4),
        (3 * DAY, HOUR, 3),
        (DAY, 3 * DAY, 2),
        (5 * DAY, 3 * DAY, 1),
        (MINUTE, 8 * DAY, None),
        (None, 0, None),
    ],
)
def test_grade(rto, rpo, grade):
    assert grade_of(rto, rpo) == grade


def proof(lost=0, seconds=0.0):
    return Proof(acknowledged=100, lost=("bnd",) * lost, lost_bindings=lost, lost_seconds=seconds)


def verdicts(objectives, rto, found):
    rpo = 0.0 if found is None else found.lost_seconds
    return {j.objective: j.met for j in judge(objectives, rto=rto, rpo=rpo, proof=found)}


STATED = DrillObjectives(rto=20, rpo=5, lost=2, grade=5)


def test_every_stated_objective_is_judged():
    assert set(verdicts(STATED, 12.0, proof(2, 4.0)).values()) == {True}
    assert verdicts(DrillObjectives(lost=0), 12.0, proof()) == {"lost": True}
    assert verdicts(DrillObjectives(), None, None) == {}


def test_each_can_be_missed():
    assert verdicts(STATED, 21.0, proof())["rto"] is False
    assert verdicts(STATED, 12.0, proof(1, 5.1))["rpo"] is False
    assert verdicts(STATED, 12.0, proof(3, 1.0))["lost"] is False
    assert verdicts(DrillObjectives(grade=6), 12.0, proof(1, 1.0)) == {"grade": False}


def test_what_was_not_measured_is_missed():
    assert set(verdicts(STATED, None, None).values()) == {False}
