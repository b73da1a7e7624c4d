"""The models beside the simulator: planted parameters come back, bounds agree with theory."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reports.capacity.bounds import Demand, bounds_of, pooled, variation
from reports.capacity.usl import fit_usl
from reports.queueing import allen_cunneen_wait, erlang_c_wait
from scenarios.distributions import constant, lognormal
from scenarios.schema import Scenario


def law(load: float, unit: float, contention: float, coherency: float) -> float:
    return unit * load / (1 + contention * (load - 1) + coherency * load * (load - 1))


def test_the_scalability_law_recovers_planted_parameters():
    random = np.random.default_rng(4)
    loads = [1.0, 2, 4, 8, 16, 32, 64, 128] * 3
    noisy = [law(n, 5.0, 0.05, 0.0004) * random.normal(1, 0.02) for n in loads]
    fit = fit_usl(loads, noisy)
    for estimate, planted in (
        (fit.rate_per_unit, 5.0),
        (fit.contention, 0.05),
        (fit.coherency, 0.0004),
        (fit.ceiling, law(math.sqrt(0.95 / 0.0004), 5.0, 0.05, 0.0004)),
    ):
        assert estimate.low <= planted <= estimate.high
        assert estimate.value == pytest.approx(planted, rel=0.25)
    assert fit.peak == pytest.approx(math.sqrt(0.95 / 0.0004), rel=0.2)
    assert fit.warnings == ()
    assert fit.throughput(8) == pytest.approx(law(8, 5.0, 0.05, 0.0004), rel=0.05)


@pytest.mark.parametrize(
    ("loads", "warning"),
    [
        ([1.0, 2, 40, 80], "only 4 different loads"),
        ([1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2], "beyond the knee"),
    ],
)
def test_the_law_warns_of_what_the_data_cannot_say(loads, warning):
    fit = fit_usl(loads, [law(n, 5.0, 0.05, 0.0004) for n in loads])
    assert warning in "; ".join(fit.warnings)


def test_a_line_gives_no_ceiling_that_anybody_should_believe():
    fit = fit_usl([1.0, 2, 3, 4, 5, 6, 7], [5.0 * n for n in range(1, 8)])
    assert fit.warnings
    assert fit_usl([1.0, 1.0, 2.0], [5.0, 5.0, 9.0]) is None


def test_allen_cunneen_is_erlang_c_for_exponential_and_pollaczek_khinchine_for_one_server():
    # M/G/1: the mean wait is lambda E[S^2] / (2 (1 - rho)).
    service = lognormal(0.002, 0.008)
    second = service.mean**2 * (1 + variation(service))
    rate = 0.7 / service.mean
    exact = rate * second / (2 * (1 - 0.7))
    wait = allen_cunneen_wait(rate, service.mean, variation(service), 1)
    assert wait == pytest.approx(exact, rel=1e-9)
    fixed = constant(0.01)
    assert variation(fixed) == 0
    assert allen_cunneen_wait(150.0, fixed.mean, variation(fixed), 2) == pytest.approx(
        erlang_c_wait(150.0, 100.0, 2) / 2, rel=1e-9
    )
    with pytest.raises(ValueError, match="without bound"):
        allen_cunneen_wait(100.0, fixed.mean, variation(fixed), 1)


def test_a_mixture_of_services_has_their_mean_and_more_spread():
    mean, spread = pooled([(1, constant(0.01)), (3, constant(0.03))])
    assert mean == pytest.approx(0.025)
    assert spread == pytest.approx((0.25 * 0.0001 + 0.75 * 0.0009) / 0.025**2 - 1)


def test_bounds_name_what_is_full_and_the_tightest_comes_first():
    scenario = Scenario.model_validate(
        {
            "name": "bounded",
            "duration": 10.0,
            "arrivals": {"kind": "poisson", "rate": 1.0},
            "world": {
                "bank": {"rate_limit": 15.0},
                "lender": {"service": {"*": 0.01}, "cores": 2},
            },
            "objectives": ["p95(confirm) < 500ms", "success_rate >= 50%"],
        }
    )
    demand = Demand(
        requests={"confirm": 1.0, "submit": 3.0},
        calls={"bank": 1.5},
        latency={"confirm": {"p95": 0.2}},
    )
    bounds = bounds_of(scenario, demand)
    assert [bound.rate for bound in bounds] == sorted(bound.rate for bound in bounds)
    full = {bound.says: bound.rate for bound in bounds if bound.model == "utilisation"}
    assert full == {"lender CPU is full": 50.0, "bank rate limit is reached": 10.0}
    erlang, cunneen = (
        next(bound.rate for bound in bounds if bound.model == model)
        for model in ("Erlang C", "Allen-Cunneen")
    )
    # Constant service waits half as long, so the objective holds up to a higher rate.
    assert 45 < erlang < cunneen < 50
