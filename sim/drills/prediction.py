"""Thousands of drills of one scenario, and what they say together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reports.drills.prediction import (
    DrillPrediction,
    chance,
    chances,
    distribution,
    phase_predictions,
)
from reports.drills.result import PHASES
from scenarios.drill import Drill
from scenarios.drill_calibration import DrillCalibration
from scenarios.keyed import Keyed
from scenarios.problems import Problem, ScenarioProblems
from scenarios.schema import Scenario
from sim.drills.history import History, record_history
from sim.drills.plan import Fate, Moment, Plan
from sim.drills.play import play_drill

_LOOKS = 100
"""Times at which `on_progress` is told."""


def predict(
    scenario: Scenario,
    *,
    drills: int,
    calibration: DrillCalibration,
    database: float | None = None,
    seed: int | None = None,
    moment: Moment = "any",
    history: History | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> DrillPrediction:
    """Simulate `drills` drills of a scenario that has a drill.

    `database`: bytes; the calibration's own if not given. `seed`: of the drills; the scenario's if
    not given. `moment`: see `sim.drills.plan.Moment`. `history`: the acknowledgements, which are
    simulated if not given. `on_progress` gets the share that is done. The same arguments give the
    same prediction. Raises ScenarioProblems when the scenario is no drill, KeyboardInterrupt.
    """
    seed = scenario.seed if seed is None else seed
    plan = Plan(
        scenario=scenario,
        drill=_drill(scenario),
        calibration=calibration,
        history=history or record_history(scenario),
        database=calibration.database if database is None else database,
        moment=moment,
    )
    keyed = Keyed(seed)
    rto = np.full(drills, np.inf)
    phases = np.zeros((drills, len(PHASES)))
    rpo, lost = np.zeros(drills), np.zeros(drills)
    for number in range(drills):
        if on_progress is not None and not number % max(1, drills // _LOOKS):
            on_progress(number / drills)
        outcome = play_drill(plan, Fate(keyed, number))
        rpo[number], lost[number] = outcome.rpo, outcome.lost
        if outcome.rto is not None and outcome.phases is not None:
            rto[number], phases[number] = outcome.rto, outcome.phases
    back = np.isfinite(rto)
    return DrillPrediction(
        scenario=scenario.name,
        title=scenario.title,
        topology=scenario.topology.kind,
        drills=drills,
        seed=seed,
        moment=moment,
        database=plan.database,
        calibration=calibration.measured,
        recovered=chance("recovers", "at all", 0.0, int(np.count_nonzero(back)), drills),
        rto=distribution(rto[back], "s") if back.any() else None,
        phases=phase_predictions(phases[back]),
        rpo=distribution(rpo, "s"),
        lost=distribution(lost, "count"),
        chances=chances(plan.drill.objectives, rto, rpo, lost),
    )


def _drill(scenario: Scenario) -> Drill:
    if scenario.drill is None:
        message = "there is no drill in this scenario; name one that has `drill:`"
        raise ScenarioProblems([Problem(scenario.name, 0, "drill", message)])
    return scenario.drill
