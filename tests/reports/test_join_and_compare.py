from __future__ import annotations

from pathlib import Path

import pytest
from fake_runs import make_run, record, scenario

from reports import events
from reports.compare import compare, write_comparison
from reports.join import join_clocks
from reports.prediction import predict, rank_causes, relative
from reports.run_folder import RunFolder, RunProblem
from reports.verdict import summary_of


def _joined(tmp_path: Path, sim: list[events.Row], live: list[events.Row]) -> RunFolder:
    run = RunFolder.create(tmp_path, scenario())
    record(run.begin("sim"), iter(sim))
    record(run.begin("live"), iter(live))
    return run


def test_customers_are_joined_by_number(tmp_path: Path) -> None:
    sim = [events.end(n, 0.0, 1.0, "ACTIVE", "bound") for n in range(10)]
    live = [events.end(n, 0.0, 2.0, "ACTIVE", "bound") for n in (0, 1, 2, 3)]
    live += [events.end(n, 0.0, 2.0, "FAILED", "bank_unavailable") for n in (4, 5)]
    live += [
        events.end(6, 0.0, 2.0, "ACTIVE", "other"),
        events.end(77, 0.0, 2.0, "ACTIVE", "bound"),
    ]
    found = join_clocks(_joined(tmp_path, sim, live))
    assert (found.joined, found.agreeing, found.sim_only, found.live_only) == (7, 4, 3, 1)
    assert found.share == pytest.approx(4 / 7)
    assert found.table() == [
        ("simulated", "live", "customers", "for example"),
        ("ACTIVE bound", "FAILED bank_unavailable", "2", "4, 5"),
        ("ACTIVE bound", "ACTIVE other", "1", "6"),
    ]
    assert "57.14 % of 7 customers" in found.lines()[0]


def test_nobody_in_both_clocks(tmp_path: Path) -> None:
    found = join_clocks(_joined(tmp_path, [], [events.end(1, 0.0, 1.0, "ACTIVE", "bound")]))
    assert found.share is None
    assert found.lines() == ["No customer ended in both clocks."]


def test_one_clock_cannot_be_joined(tmp_path: Path) -> None:
    with pytest.raises(RunProblem, match="one clock only"):
        join_clocks(make_run(tmp_path, ("sim",)))


def test_prediction_error_is_relative_to_the_measurement(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    sim, live = summary_of(run, "sim"), summary_of(run, "live")
    errors = {row.metric: row for row in predict(sim, live)}
    expected = (sim.throughput - live.throughput) / live.throughput
    assert errors["throughput"].difference == pytest.approx(expected, rel=1e-4)
    assert {"success rate", "whole binding p95", "confirm p95", "confirm p50"} <= set(errors)
    ranks = rank_causes(sim, live)
    assert ranks.same_order
    assert ranks.sim[0] == "bank_unavailable"


def test_a_difference_from_nothing_has_no_number() -> None:
    assert relative(1.0, base=0.0) is None
    assert relative(0.0, base=0.0) == 0.0
    assert relative(None, base=1.0) is None


def test_two_runs_compare_in_the_clocks_they_share(tmp_path: Path) -> None:
    a, b = make_run(tmp_path, ("sim",)), make_run(tmp_path)
    comparison = compare(a, b)
    assert [clock.clock for clock in comparison.clocks] == ["sim"]
    assert any(line.startswith("throughput ") and "+0.0 %" in line for line in comparison.lines())
    page = write_comparison(comparison).read_text()
    assert page.count("<svg") == 5
    assert "http" not in page


def test_runs_without_a_clock_in_common_do_not_compare(tmp_path: Path) -> None:
    with pytest.raises(RunProblem, match="no clock in common"):
        compare(make_run(tmp_path, ("sim",)), make_run(tmp_path, ("live",)))
