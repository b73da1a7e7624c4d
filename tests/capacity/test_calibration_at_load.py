"""What a request costs at the limit, from loads below it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from capacity_worlds import narrow

from loadtests.calibration import AtTestbedLimit
from loadtests.calibration_at_load import (
    ENOUGH,
    MOST_LOADS,
    Cost,
    LoadMeasured,
    at_loads,
    measure_at_loads,
    next_rate,
    work_and_wakeup,
)
from mocks.capacity import ServerPool
from scenarios.calibration import Calibration, load_calibration
from scenarios.ceilings.met import Met
from scenarios.distributions import constant, lognormal
from sim.capacity import Task, simulate

WORK, WAKEUP = 0.002, 0.0012
LIGHT = Calibration(
    measured="test",
    network=constant(0.001),
    service={"*": lognormal(0.01, 0.05), "confirm": constant(0.02)},
    commit=lognormal(0.004, 0.02),
    call_overhead=constant(0.001),
)


def cost(busy: float, requests: int = 1000, noise: float = 1.0) -> Cost:
    processor = (WORK + WAKEUP * (1 - busy)) * noise
    return Cost(busy=busy, requests=requests, processor=processor, writer=0.001 + 0.001 * busy)


def load(rate: float, busy: float, fitted: Calibration = LIGHT) -> LoadMeasured:
    operations = {"confirm": 50, "submit": 50}
    return LoadMeasured(rate=rate, cost=cost(busy), fitted=fitted, operations=operations)


def test_work_and_wakeup_are_found_from_loads_below_the_limit():
    found = work_and_wakeup([cost(0.2), cost(0.45), cost(0.6)])
    assert found == pytest.approx((WORK, WAKEUP))
    noisy = work_and_wakeup([cost(0.2, 500, 1.05), cost(0.45, 1500, 0.96), cost(0.6, 2500, 1.02)])
    assert noisy == pytest.approx((WORK, WAKEUP), rel=0.2)


def test_loads_that_do_not_tell_them_apart_give_the_mean():
    alike = [cost(0.50), cost(0.52, 3000)]
    work, wakeup = work_and_wakeup(alike)
    assert wakeup == 0
    assert work == pytest.approx((alike[0].processor + 3 * alike[1].processor) / 4)
    dearer = [
        Cost(busy=0.2, requests=1000, processor=0.002, writer=0.001),
        Cost(busy=0.7, requests=1000, processor=0.003, writer=0.001),
    ]
    assert work_and_wakeup(dearer) == (pytest.approx(0.0025), 0)
    # However the points lie, a request under load costs no less than nothing.
    steep = [
        Cost(busy=0.1, requests=1000, processor=0.009, writer=0.001),
        Cost(busy=0.3, requests=1000, processor=0.001, writer=0.001),
    ]
    assert work_and_wakeup(steep)[0] >= 0


FULL = Met(ceiling="cores", process="the machine", at=3.0, until=14.0, detail="1 of 1 were used")


@pytest.fixture
def climbing(monkeypatch, tmp_path):
    """Loads of a testbed that is at its own limit from the given rate on."""

    def climb(limit):
        told = []

        def measured(scenario, folder, rate, *_):
            full = load(rate, min(1.0, rate / 100))
            return msgspec.structs.replace(full, limits=(FULL,) if rate >= limit else ())

        monkeypatch.setattr("loadtests.calibration_at_load._measured", measured)
        found = measure_at_loads(narrow(), tmp_path, seed_of=lambda n: n, on_load=told.append)
        return [each.rate for each in found], [each.rate for each in told]

    return climb


def test_a_load_at_the_testbeds_limit_is_told_and_not_used_and_none_follows_it(climbing):
    used, told = climbing(limit=60.0)
    assert max(used) < 60 <= told[-1]
    assert told == [*used, told[-1]]


def test_a_machine_that_carries_not_even_the_first_load_is_not_measured(climbing):
    with pytest.raises(AtTestbedLimit, match="the testbed was the limit: cores of the machine"):
        climbing(limit=1.0)


def test_a_calibration_at_the_limit_is_one_line_and_an_exit_code(bindrill, monkeypatch, tmp_path):
    def limited(*_: object) -> None:
        raise AtTestbedLimit((FULL,))

    monkeypatch.setattr("bindrill.calibrate.measure", limited)
    done = bindrill("calibrate", "baseline", "--out", tmp_path / "new.yaml")
    assert done.code == 98
    assert done.err.startswith("bindrill: the testbed was the limit: cores of the machine")
    assert not (tmp_path / "new.yaml").exists()


def loads_until_enough(rate: float, busy: Callable[[float], float]) -> list[tuple[float, float]]:
    """The loads that a processor which is `busy` at a rate is given, from its own `rate` on."""
    loads = [(rate, busy(rate))]
    while (further := next_rate(loads)) is not None:
        loads.append((further, busy(further)))
    return loads


def test_loads_are_apart_and_stay_below_the_limit():
    def steady(rate: float) -> float:
        return min(1.0, rate / 30)

    assert loads_until_enough(6.0, steady) == [(6.0, 0.2), (13.5, 0.45), (21.0, 0.7)]
    light = loads_until_enough(21.0, steady)
    assert [rate for rate, _ in light] == [21.0, 6.0, 13.5]
    assert [rate for rate, _ in loads_until_enough(12.0, steady)] == [12.0, 6.0, 21.0]
    assert next_rate([(1.0, 0.001), (2.0, 0.001)]) == 16.0


def test_where_load_makes_requests_cheaper_the_loads_go_on_until_the_processor_is_busy():
    def cheaper(rate: float) -> float:
        wakeup = rate * 8.4 * 0.0035
        return (rate * 8.4 * 0.0012 + wakeup) / (1 + wakeup)

    loads = loads_until_enough(6.0, cheaper)
    assert max(busy for _, busy in loads[:3]) < ENOUGH <= max(busy for _, busy in loads) < 0.8
    # A processor that never gets busy does not keep the search for ever.
    assert len(loads_until_enough(6.0, lambda _: 0.1)) == MOST_LOADS


def test_the_calibration_adds_up_to_the_work_of_a_request(tmp_path):
    found = at_loads([load(20.0, 0.7), load(6.0, 0.2), load(13.0, 0.45)], "three loads")
    mean = (found.service["confirm"].mean + found.service["*"].mean) / 2
    assert mean == pytest.approx(WORK, rel=1e-2)
    assert found.wakeup == pytest.approx(WAKEUP, rel=1e-3)
    assert found.service["*"].p99 / found.service["*"].p50 == pytest.approx(5, rel=2e-2)
    # The writer's commits are those near the limit; the network is that of the lightest load.
    assert found.commit.mean == pytest.approx(0.0017, rel=1e-2)
    assert (found.measured, found.network) == ("three loads", LIGHT.network)
    found.save(tmp_path / "calibration.yaml")
    assert load_calibration(tmp_path / "calibration.yaml") == found


def test_an_idle_core_is_one_that_serves_at_once():
    pool = ServerPool(2)
    assert pool.idle(0.0)
    pool.admit(0.0, 1.0)
    assert pool.idle(0.0)
    pool.admit(0.0, 3.0)
    assert not pool.idle(0.5)
    assert pool.idle(1.0)
    assert pool.busy == 4.0


@pytest.mark.parametrize(("rate", "busy"), [(12.0, (0.2, 0.35)), (45.0, (0.6, 0.9))])
def test_the_simulated_processor_wakes_up_as_often_as_it_is_idle(rate, busy):
    """Utilisation is what `work + wakeup * idle` makes of it, light and heavy."""
    scenario = narrow(
        duration=40.0, world__lender__service={"*": WORK}, world__lender__wakeup=WAKEUP
    )
    measure = simulate(Task(scenario=scenario, rate=rate, number=0))
    used = measure.used("lender CPU").used
    requests = measure.arrivals / 40.0 * sum(measure.requests_per_arrival.values())
    assert busy[0] < used < busy[1]
    expected = requests * (WORK + WAKEUP) / (1 + requests * WAKEUP)
    assert used == pytest.approx(expected, rel=0.12)
