"""One live measure sees every process; a calibration at load adds up to what was worked."""

from __future__ import annotations

import psutil
import pytest
from capacity_worlds import narrow

from loadtests.calibration import Work, scaled
from loadtests.capacity import Load, live_limit
from reports.capacity.search import Bounds
from scenarios.calibration import Calibration
from scenarios.distributions import constant, lognormal


@pytest.mark.live
def test_a_live_measure_tells_the_use_of_every_resource(tmp_path):
    told = []
    found = live_limit(
        narrow(duration=6.0, objectives=["success_rate >= 1%"]),
        tmp_path / "live",
        bounds=Bounds(start=6.0, lowest=3.0, highest=6.0),
        seed_of=lambda number: 3 + number,
        load=Load(),
        precision=0.5,
        lead=1,
        on_measured=lambda measure, search: told.append((measure.rate, search.low)),
    )
    assert (found.state, found.low, told) == ("always", 6.0, [(6.0, 6.0)])
    (measure,) = found.measures
    assert measure.held
    assert measure.arrivals > 10
    used = {usage.resource: usage.used for usage in measure.usage}
    processes = ("lender CPU", "gateways", "load generator", "machine CPU")
    for resource in (*processes, "database commits", "lender workers"):
        assert 0 < used[resource] <= 1
    assert measure.times is not None
    assert measure.times.whole > measure.times.commits > 0
    assert not any((tmp_path / "live").iterdir())  # nothing of a measure stays
    assert not [child for child in psutil.Process().children() if "locust" in child.name()]


@pytest.mark.live
def test_no_measure_begins_when_the_time_is_up(tmp_path):
    found = live_limit(
        narrow(),
        tmp_path / "live",
        bounds=Bounds(start=6.0, lowest=3.0, highest=6.0),
        seed_of=lambda number: number,
        load=Load(),
        precision=0.5,
        out_of_time=lambda: True,
    )
    assert (found.state, found.measures, found.bottleneck) == ("unsettled", (), None)


def test_a_calibration_at_load_adds_up_to_what_was_worked():
    waited = Calibration(
        measured="test",
        network=constant(0.001),
        service={"*": lognormal(0.01, 0.05), "confirm": constant(0.02)},
        commit=lognormal(0.004, 0.02),
        call_overhead=constant(0.001),
    )
    timings = [["request", op, 0.0, 0.1, 0.0, 0.0, 0.0, 1] for op in ["confirm", "submit"] * 50]
    worked = scaled(waited, timings, Work(processor=0.4, writer=0.9, commits=300))
    total = 50 * worked.service["confirm"].mean + 50 * worked.service["*"].mean
    assert total == pytest.approx(0.4, rel=1e-3)
    assert worked.commit.mean == pytest.approx(0.003, rel=1e-3)
    assert worked.network == waited.network
    ratio = worked.service["*"].p99 / worked.service["*"].p50
    assert ratio == pytest.approx(5, rel=1e-2)
