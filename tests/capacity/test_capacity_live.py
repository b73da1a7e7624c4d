"""One live measure sees every process; both clocks together measure the machine first."""

from __future__ import annotations

import msgspec
import psutil
import pytest
from capacity_worlds import narrow

from loadtests.calibration_at_load import MOST_LOADS
from loadtests.capacity import Load, live_limit
from reports.capacity.result import read_capacity
from reports.capacity.search import Bounds
from reports.numbers import shown
from scenarios.calibration import load_calibration
from scenarios.ceilings.met import Met
from scenarios.loader import dump
from sim.capacity import Task, simulate


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


FULL = Met(
    ceiling="open files", process="the gateways", at=1.0, until=2.0, detail="256 of 256 were open"
)


@pytest.fixture
def fenced(monkeypatch, bindrill, tmp_path):
    """The command on a testbed that cannot measure 20/s, before a lender that fails at `limit`."""
    simulated = simulate(Task(scenario=narrow(duration=2.0), rate=5.0, number=0))

    def search(*options, limit=1000.0):
        def measure(scenario, folder, *, rate, number, load, on_progress):
            limits = (FULL,) if rate >= 20 else ()
            return msgspec.structs.replace(
                simulated, clock="live", rate=rate, number=number, held=rate < limit, limits=limits
            )

        monkeypatch.setattr("loadtests.capacity.measure_live", measure)
        file = tmp_path / "narrow.yaml"
        file.write_text(dump(narrow()))
        once = ("--live", "--repeats", "1", "--from", "5/s", "--to", "80/s", "--out", tmp_path)
        done = bindrill("capacity", file, *once, *options)
        (folder,) = tmp_path.glob("narrow-capacity-*")
        return done, read_capacity(folder).limit("live"), (folder / "capacity.html").read_text()

    return search


def test_the_testbeds_limit_is_not_the_systems(fenced):
    done, limit, page = fenced()
    assert done.code == 98
    assert (limit.state, limit.rate, limit.high) == ("limited", None, None)
    assert 19 < limit.low < 20 <= limit.beyond[0].rate < 20.5
    assert all(measure.rate < 20 for measure in limit.measures)
    said = "the testbed was the limit: open files of the gateways: 256 of 256 were open"
    assert f"not measured: at {shown(limit.beyond[0].rate, '/s')} {said}" in done.out
    assert "; at 20" in done.out
    assert said in page
    assert 'class="banner"' in page


def test_a_limit_below_the_testbeds_is_found_all_the_same(fenced):
    done, limit, page = fenced(limit=12.0)
    assert done.code == 0
    assert limit.state == "found"
    assert limit.low < 12 <= limit.high < 20
    assert (limit.beyond != ()) == ("not measured: at" in done.out) == ('class="banner"' in page)


def test_measures_at_the_testbeds_limit_count_if_asked(fenced):
    done, limit, _ = fenced("--judge-at-limit")
    assert (done.code, limit.state, limit.beyond) == (0, "always", ())
    assert "the testbed was at its limit: open files" in done.out


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


@pytest.mark.live
def test_a_search_in_both_clocks_measures_the_machine_first(bindrill, tmp_path):
    file = tmp_path / "narrow.yaml"
    file.write_text(dump(narrow(duration=6.0, objectives=["success_rate >= 1%"])))
    once = ("--replications", "1", "--repeats", "1", "--jobs", "1")
    bounds = ("--from", "5/s", "--to", "10/s")
    done = bindrill("capacity", file, *once, *bounds, "--out", tmp_path / "runs")
    assert done.code == 0, done.err
    # More than three where the machine was not busy enough at these to foretell the limit.
    assert 3 <= done.out.count("measured at") <= MOST_LOADS
    (folder,) = (tmp_path / "runs").iterdir()
    measured = load_calibration(folder / "calibration.yaml")
    capacity = read_capacity(folder)
    assert capacity.calibration == f"calibration.yaml ({measured.measured})"
    assert [limit.clock for limit in capacity.limits] == ["sim", "live"]
    simulated = capacity.limit("sim").measures[0].used("lender CPU").used
    # The scenario's own service times use 0.2 ms a request, less than a real lender does.
    assert simulated > 3 * (10 * 9 * 0.0002)
