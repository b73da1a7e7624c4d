"""What thousands of simulated drills say: distributions of RTO and RPO, and the chances of meeting
the objectives. `prediction.json` holds it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from reports.drills.grade import grade_of
from reports.drills.result import PHASES, PhaseName
from reports.intervals import Interval, interval
from reports.numbers import Unit, significant
from reports.run_folder import read_record, write_record
from scenarios.drill import DrillObjectives
from scenarios.units import format_duration

FILE = "prediction.json"
BINS = 40
_Z95 = 1.959963984540054
"""The standard normal's 97.5th percentile."""

Values = npt.NDArray[np.float64]


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """A figure over the drills that have it, in its `unit`: quantiles, the mean with its 95 %
    interval, and a histogram whose n-th count lies between the n-th and the next of `edges`."""

    unit: Unit
    mean: Interval
    p5: float
    p50: float
    p95: float
    p99: float
    edges: tuple[float, ...]
    counts: tuple[int, ...]

    def holds(self, value: float, resolution: float = 0.0) -> bool:
        """Whether `value` is in the 90 % interval, p5 to p95, give or take `resolution`."""
        return self.p5 - resolution <= value <= self.p95 + resolution


class Chance(msgspec.Struct, frozen=True, kw_only=True):
    """The share of drills that meet an objective, with Wilson's 95 % interval. `bound` is the
    objective's number: seconds, bindings or a grade."""

    objective: str
    limit: str
    bound: float
    share: float
    low: float
    high: float


class PhasePrediction(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the time to recovery, over the drills that recovered."""

    phase: PhaseName
    seconds: Distribution


class DrillPrediction(msgspec.Struct, frozen=True, kw_only=True):
    """`drills` simulated drills of a scenario. `recovered` is the chance that service comes back to
    its objective at all; `rto` and `phases` are over those drills, `rpo` (seconds) and `lost`
    (bindings) over all; without objectives `chances` is empty. `database` is in bytes; `moment` and
    `seed` are as they were asked for; `calibration` says where the times came from."""

    format: int = 1
    scenario: str
    title: str
    topology: str
    drills: int
    seed: int
    moment: Literal["any", "written"]
    database: float
    calibration: str
    recovered: Chance
    rto: Distribution | None
    phases: tuple[PhasePrediction, ...]
    rpo: Distribution
    lost: Distribution
    chances: tuple[Chance, ...]

    def save(self, folder: Path) -> None:
        """Write `prediction.json` into `folder`."""
        write_record(folder / FILE, self)


def load_prediction(folder: Path) -> DrillPrediction:
    """The prediction in `folder`. Raises RunProblem."""
    return read_record(folder / FILE, DrillPrediction, missing=f"{folder} holds no {FILE}")


def distribution(values: Values, unit: Unit) -> Distribution:
    """The distribution of at least one value. Whole numbers get bars around whole numbers."""
    p5, p50, p95, p99 = (float(each) for each in np.quantile(values, (0.05, 0.5, 0.95, 0.99)))
    mean = interval(values.tolist())
    assert mean is not None  # noqa: S101  # there are values
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-9 * max(1.0, abs(high)):
        edges, counts = np.array([low, high]), np.array([len(values)])
    elif np.allclose(values, np.rint(values), rtol=0, atol=1e-6):
        width = math.ceil((high - low + 1) / BINS)
        bounds = np.arange(low, high + 1 + width, width) - 0.5
        counts, edges = np.histogram(values, bounds)
    else:
        counts, edges = np.histogram(values, BINS, (low, high))
    return Distribution(
        unit=unit,
        mean=mean,
        p5=significant(p5),
        p50=significant(p50),
        p95=significant(p95),
        p99=significant(p99),
        edges=tuple(significant(float(edge)) for edge in edges),
        counts=tuple(int(count) for count in counts),
    )


def chance(objective: str, limit: str, bound: float, met: int, of: int) -> Chance:
    """`met` of `of` drills, with the interval of Wilson (1927), which also serves near 0 and 1."""
    share = met / of
    spread = _Z95**2 / of
    centre = (share + spread / 2) / (1 + spread)
    half = _Z95 / (1 + spread) * math.sqrt(share * (1 - share) / of + spread / (4 * of))
    return Chance(
        objective=objective,
        limit=limit,
        bound=bound,
        share=significant(share),
        low=significant(centre - half) if met else 0.0,
        high=significant(centre + half) if met < of else 1.0,
    )


def chances(
    objectives: DrillObjectives, rto: Values, rpo: Values, lost: Values
) -> tuple[Chance, ...]:
    """The chance of each objective; `rto` is infinite where service never came back."""
    stated: Sequence[tuple[str, float | None, str, Values]] = (
        ("RTO", objectives.rto, format_duration(objectives.rto or 0.0), rto),
        ("RPO", objectives.rpo, format_duration(objectives.rpo or 0.0), rpo),
        ("bindings lost", objectives.lost, str(objectives.lost), lost),
    )
    found = [
        chance(name, f"at most {text}", bound, _within(values, bound), len(values))
        for name, bound, text, values in stated
        if bound is not None
    ]
    if objectives.grade is not None:
        times = zip(rto.tolist(), rpo.tolist(), strict=True)
        grades = [grade_of(None if math.isinf(back) else back, gone) or 0 for back, gone in times]
        met = sum(grade >= objectives.grade for grade in grades)
        limit = f"at least {objectives.grade}"
        found.append(chance("grade", limit, objectives.grade, met, len(grades)))
    return tuple(found)


def _within(values: Values, bound: float) -> int:
    """How many are at most `bound`, to the microsecond, as a drill is judged."""
    return int(np.count_nonzero(np.round(values, 6) <= bound))


def phase_predictions(phases: Values) -> tuple[PhasePrediction, ...]:
    """Each phase's distribution; `phases` has a row a drill that recovered, a column a phase."""
    if not len(phases):
        return ()
    return tuple(
        PhasePrediction(phase=phase, seconds=distribution(phases[:, column], "s"))
        for column, phase in enumerate(PHASES)
    )
