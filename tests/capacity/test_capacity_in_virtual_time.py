"""The whole search in virtual time: the narrow place is found, and named."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from capacity_worlds import narrow
from simpy import Environment

from reports.capacity.result import Limit
from reports.capacity.scaling import at_rate, own_rate
from reports.capacity.search import Bounds
from reports.capacity.usage import Counters, Processor, mean_in_progress, used
from sim.capacity import Task, simulate, simulated_limit
from sim.executor import InTurn
from sim.run import play


def limit(scenario, *, start: float, lowest: float = 2.0, highest: float = 400.0) -> Limit:
    return simulated_limit(
        scenario,
        executor=InTurn(),
        ahead=1,
        bounds=Bounds(start=start, lowest=lowest, highest=highest),
        precision=0.2,
        lead=1,
    )


@pytest.mark.parametrize(
    ("changes", "resource", "between"),
    [
        # 8 requests and more an arrival, of 5 ms each, on one core.
        ({"world__lender__service": {"*": 0.005}}, "lender CPU", (12, 30)),
        # An arrival's requests take some 0.1 s of the two workers.
        ({"world__lender__workers": 2}, "lender workers", (10, 40)),
        ({"world__bank__rate_limit": 20.0}, "bank rate limit", (14, 30)),
        ({"world__bank__concurrency": 1}, "bank concurrency", (30, 70)),
        ({"world__sms__rate_limit": 20.0}, "SMS rate limit", (14, 30)),
        ({"world__payment__concurrency": 1}, "payment concurrency", (20, 50)),
        ({"world__lender__connections": {"bank": 1}}, "connections to bank", (25, 70)),
    ],
)
def test_the_narrow_place_is_found_and_named(changes, resource, between):
    found = limit(narrow(**changes), start=16.0)
    assert found.state == "found"
    assert between[0] <= found.low < found.high <= between[1]
    assert found.high / found.low <= 1.2
    assert found.bottleneck.resource == resource
    assert found.bottleneck.saturated
    assert all(each.missed for each in found.at(found.high))


def test_slow_commits_are_named_though_the_writer_is_busy_in_every_world():
    slow = narrow(duration=60.0, world__lender__commit=0.1, objectives=["p50(submit) < 710ms"])
    found = limit(slow, start=0.5, lowest=0.1)
    assert found.state == "found"
    assert found.bottleneck.resource == "database commits"
    quick = limit(narrow(world__lender__service={"*": 0.005}), start=16.0)
    busy = quick.at(quick.high)[0].used("database commits")
    assert busy.used > 0.1
    assert quick.bottleneck.resource == "lender CPU"


def test_what_no_rate_saturates_is_not_called_saturated():
    found = limit(narrow(), start=10.0, highest=20.0)
    assert (found.state, found.low, found.high) == ("always", 20.0, None)
    assert not found.bottleneck.saturated
    never = limit(narrow(objectives=["p95(confirm) < 1ms"]), start=10.0, lowest=5.0)
    assert (never.state, never.low, never.high) == ("never", None, 5.0)


def test_the_result_does_not_depend_on_how_many_run_at_a_time():
    scenario = narrow(duration=4.0, world__lender__workers=1)
    bounds = Bounds(start=8.0, lowest=2.0, highest=32.0)
    encoded = [
        msgspec.json.encode(
            simulated_limit(
                scenario,
                executor=InTurn(),
                ahead=ahead,
                bounds=bounds,
                precision=0.5,
                lead=2,
            )
        )
        for ahead in (1, 5)
    ]
    assert encoded[0] == encoded[1]


def test_measures_of_one_number_have_one_seed_at_every_rate():
    scenario = narrow()
    seeds = {simulate(Task(scenario=scenario, rate=rate, number=1)).seed for rate in (4.0, 8.0)}
    assert len(seeds) == 1
    assert seeds != {scenario.seed}
    assert simulate(Task(scenario=scenario, rate=4.0, number=0)).seed == scenario.seed


def test_floors_of_throughput_keep_their_share_of_the_arrivals():
    scenario = narrow()
    assert own_rate(scenario) == pytest.approx(10)
    faster = at_rate(scenario, 25.0)
    assert faster.arrivals.rate == 25.0
    assert "throughput >= 20/s" in faster.objectives
    assert "p95(confirm) < 400ms" in faster.objectives
    spike = narrow(arrivals={"kind": "spike", "rate": 4.0, "peak": 8.0, "at": 2.0, "duration": 2.0})
    assert own_rate(spike) == 4.0
    assert at_rate(spike, 8.0).arrivals.peak == 16.0


def test_ctrl_c_keeps_what_is_measured():
    scenario, seen = narrow(world__lender__workers=2), []

    def third(measure, _):
        seen.append(measure)
        if len(seen) == 3:
            raise KeyboardInterrupt

    found = simulated_limit(
        scenario,
        executor=InTurn(),
        ahead=1,
        bounds=Bounds(start=8.0, lowest=2.0, highest=400.0),
        precision=0.05,
        lead=1,
        on_measured=third,
    )
    assert found.state == "interrupted"
    assert sorted(each.rate for each in found.measures) == sorted(each.rate for each in seen)


def test_places_in_use_are_averaged_over_the_window():
    table = np.array([[0.0, 4.0], [1.0, 3.0], [2.0, 9.0]])
    # Three during [2, 3), two until 4, then one.
    assert mean_in_progress(table, (2.0, 6.0)) == pytest.approx((3 + 2 + 1 + 1) / 4)
    assert mean_in_progress(table, (2.0, 6.0), places=2) == pytest.approx((2 + 2 + 1 + 1) / 4)
    assert mean_in_progress(table[:0], (2.0, 6.0)) == 0


def test_nothing_is_said_of_the_inside_of_a_lender_that_is_not_ours(tmp_path):
    scenario = narrow(duration=2.0)
    play(Environment(), scenario, tmp_path)
    known = Counters(lender=Processor(used=0.5, most=1))
    ours = {usage.resource for usage in used(tmp_path, scenario, known).usage}
    theirs = {usage.resource for usage in used(tmp_path, scenario, Counters(known=False)).usage}
    assert ours - theirs == {"lender CPU", "lender workers"}
    assert "connections to bank" in theirs
