"""Universal Scalability Law: throughput X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1)).

Gunther, "Guerrilla Capacity Planning" (2007), chapter 4: `lambda` is the throughput of one unit of
load, `sigma` contention (what must happen in turn), `kappa` coherency (what must be agreed on,
which makes throughput fall again). N is the load in the system: requests in progress.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from reports.numbers import significant

FEWEST = 6
"""Points at different loads that three parameters need."""
RESAMPLES = 200
LEVEL = 0.95
REACH = 1.5
"""How far beyond the largest load measured the law is believed."""
KNEE = 0.8
"""The law bends where X(N) / (lambda N) is below this; above it all points lie on a line, which
says nothing of where the line ends."""
_WIDE = 0.5


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A value and its 95 % interval (percentiles of a bootstrap over the measures)."""

    value: float
    low: float
    high: float


class UslFit(msgspec.Struct, frozen=True, kw_only=True):
    """The law fitted to `points` measures. `rate_per_unit` is lambda, per second. `ceiling`: the
    highest throughput a second, at `peak` requests in progress, which is infinite where throughput
    only levels off. `warnings`: why the ceiling should not be believed; none if it may be.
    """

    points: int
    most_load: float
    rate_per_unit: Estimate
    contention: Estimate
    coherency: Estimate
    ceiling: Estimate
    peak: float | None
    explained: float
    warnings: tuple[str, ...]

    def throughput(self, load: float) -> float:
        """X(`load`), a second."""
        parameters = (self.rate_per_unit.value, self.contention.value, self.coherency.value)
        return float(_law(np.array(parameters), np.array([load]))[0])


def fit_usl(loads: Sequence[float], throughputs: Sequence[float], seed: int = 0) -> UslFit | None:
    """Least squares with parameters of 0 or more; the intervals are those of RESAMPLES bootstrap
    samples, drawn with `seed`. None with fewer than three points above 0."""
    known = [(n, x) for n, x in zip(loads, throughputs, strict=True) if n > 0 and x > 0]
    if len({n for n, _ in known}) < 3:
        return None
    points = np.array(known)
    best = _fit(points)
    samples = _bootstrap(points, best, np.random.default_rng(seed))
    most = float(points[:, 0].max())
    ceilings = np.array([_ceiling(sample)[0] for sample in samples])
    ceiling, peak = _ceiling(best)
    found = [_estimate(best[i], samples[:, i]) for i in range(3)]
    residuals = points[:, 1] - _law(best, points[:, 0])
    spread = float(((points[:, 1] - points[:, 1].mean()) ** 2).sum())
    bounded = _estimate(ceiling, ceilings)
    return UslFit(
        points=len(points),
        most_load=significant(most),
        rate_per_unit=found[0],
        contention=found[1],
        coherency=found[2],
        ceiling=bounded,
        peak=significant(peak) if math.isfinite(peak) else None,
        explained=significant(1 - float((residuals**2).sum()) / spread) if spread else 0.0,
        warnings=_warnings(points, best, bounded, peak),
    )


def _law(parameters: NDArray[np.float64], loads: NDArray[np.float64]) -> NDArray[np.float64]:
    unit, contention, coherency = parameters
    # Below one request in progress nothing contends: the law is a line there.
    beyond = np.maximum(loads - 1, 0.0)
    found: NDArray[np.float64] = (
        unit * loads / (1 + contention * beyond + coherency * loads * beyond)
    )
    return found


def _fit(points: NDArray[np.float64]) -> NDArray[np.float64]:
    loads, throughputs = points[:, 0], points[:, 1]
    unit = float((throughputs / loads).max())

    def misfit(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        # Relative to the throughput, as noise of measures at high load is larger.
        return (_law(parameters, loads) - throughputs) / throughputs

    solution = least_squares(
        misfit,
        x0=(unit, 0.05, 1e-4),
        bounds=((1e-9, 0.0, 0.0), (np.inf, 1.0, 1.0)),
        x_scale=(unit, 0.05, 1e-3),
    )
    return np.asarray(solution.x, dtype=float)


def _bootstrap(
    points: NDArray[np.float64], best: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float64]:
    found = []
    for _ in range(RESAMPLES):
        sample = points[random.integers(0, len(points), len(points))]
        if len(np.unique(sample[:, 0])) >= 3:
            found.append(_fit(sample))
    return np.array(found) if found else np.array([best])


def _ceiling(parameters: NDArray[np.float64]) -> tuple[float, float]:
    """The highest throughput and the load it is reached at (infinite where it levels off)."""
    unit, contention, coherency = (float(p) for p in parameters)
    if coherency > 1e-9:
        peak = math.sqrt(max(0.0, 1 - contention) / coherency)
        peak = max(1.0, peak)
        return float(_law(parameters, np.array([peak]))[0]), peak
    return (unit / contention if contention > 1e-9 else math.inf), math.inf


def _estimate(value: float, samples: NDArray[np.float64]) -> Estimate:
    tail = (1 - LEVEL) / 2
    ordered = np.sort(samples)
    # By order statistics, not between them: a sample may be infinite.
    low = ordered[math.floor(tail * (len(ordered) - 1))]
    high = ordered[math.ceil((1 - tail) * (len(ordered) - 1))]
    return Estimate(
        value=significant(float(value)),
        low=significant(float(min(low, value))),
        high=significant(float(max(high, value))),
    )


def _warnings(
    points: NDArray[np.float64], best: NDArray[np.float64], ceiling: Estimate, peak: float
) -> tuple[str, ...]:
    loads = points[:, 0]
    different, most = len(np.unique(loads)), float(loads.max())
    found: list[str] = []
    if different < FEWEST:
        found.append(f"only {different} different loads were measured; {FEWEST} are needed")
    linear = float((_law(best, np.array([most])) / (best[0] * most))[0])
    if linear > KNEE:
        found.append("no measure lies beyond the knee, so nothing says where throughput ends")
    if math.isfinite(peak) and peak > REACH * most:
        found.append(
            f"the ceiling lies at {peak:.3g} requests in progress, far beyond the {most:.3g}"
            " measured"
        )
    if not math.isfinite(ceiling.high) or ceiling.high - ceiling.low > _WIDE * ceiling.value:
        found.append("the interval of the ceiling is wider than half of it")
    return tuple(found)
