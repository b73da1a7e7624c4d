"""A run in which the testbed was the limit: said everywhere, judged nowhere unless asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_runs import make_run, scenario

from reports.compare import compare, write_comparison
from reports.html import write_report
from reports.run_folder import RunFolder
from reports.variants import create_variant, expectation_of_all, played_variants
from reports.verdict import conclude, verdict_lines, verdict_of
from scenarios.variants import variant

MET = "open files of the load generator: 256 of 256 were open, 7 times EMFILE, from 12s to 13s"
IMPOSSIBLE = {"objectives": ["success_rate >= 100%"]}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return make_run(tmp_path_factory.mktemp("runs"), ("live",), full=True)


def test_no_objective_is_judged(run: RunFolder) -> None:
    first, *objectives = verdict_lines(run)
    assert first.startswith(f"Live run: the testbed was the limit: {MET} (")
    assert len(objectives) == 3
    assert all(line.startswith("  not judged ") for line in objectives)
    assert verdict_of(run) == "limited"


def test_it_is_written_down_and_read_again(run: RunFolder) -> None:
    record = json.loads((run.path / "run.json").read_bytes())["clocks"]["live"]
    assert (record["state"], record["verdict"], record["judged"]) == ("complete", "limited", False)
    assert [met["ceiling"] for met in record["limits"]] == ["open files"]
    assert verdict_lines(RunFolder.open(run.path)) == verdict_lines(run)


def test_the_command_ends_with_a_code_of_its_own(
    run: RunFolder, bindrill: Callable[..., Any]
) -> None:
    told = bindrill("report", run.path)
    assert told.code == 98
    assert MET in told.out
    assert "missed" not in told.out
    assert " met " not in told.out


def test_the_report_says_it_in_a_banner(run: RunFolder) -> None:
    page = write_report(run).read_text()
    assert '<div class="verdict limited">' in page
    assert "<strong>The testbed was the limit</strong>" in page
    assert f"<li>{MET}</li>" in page
    assert "No objective was judged." in page
    assert "not judged, " in page
    assert "✓ met" not in page
    assert "✗ missed" not in page


def test_objectives_are_judged_if_asked_and_the_limit_is_said_all_the_same(
    tmp_path: Path, bindrill: Callable[..., Any]
) -> None:
    run = make_run(tmp_path, ("live",), full=True, judge_at_limit=True, **IMPOSSIBLE)
    told = bindrill("report", run.path)
    assert told.code == 99
    assert f"objectives missed; the testbed was at its limit: {MET}" in told.out
    assert "  missed  success_rate" in told.out
    page = (run.path / "report.html").read_text()
    assert "Objectives were judged all the same, as asked." in page
    assert "✗ missed" in page


def test_a_calm_run_says_nothing_of_limits(tmp_path: Path, bindrill: Callable[..., Any]) -> None:
    run = make_run(tmp_path, ("live",), objectives=[])
    told = bindrill("report", run.path)
    assert told.code == 0
    assert "limit" not in told.out
    assert 'role="alert"' not in (run.path / "report.html").read_text()
    assert run.record.clocks["live"].limits == ()


def test_a_simulation_is_judged_though_the_live_run_is_not(tmp_path: Path) -> None:
    run = make_run(tmp_path, full=True, **IMPOSSIBLE)
    assert run.record.clocks["sim"].verdict == "missed"
    assert run.record.clocks["live"].verdict == "limited"
    assert verdict_of(run) == "limited"
    page = write_report(run).read_text()
    assert "✗ missed" in page
    assert "not judged, " in page


@pytest.mark.parametrize("state", ["interrupted", "failed"])
def test_what_did_not_end_keeps_its_verdict_and_says_the_limit(tmp_path: Path, state: Any) -> None:
    run = make_run(tmp_path, ("live",), full=True)
    conclude(run, "live", state=state, wall_seconds=1.0, note="why")
    first, *objectives = verdict_lines(run)
    assert verdict_of(run) == state
    assert f"{state}: why; the testbed was at its limit: {MET}" in first
    assert all(line.startswith("  not judged ") for line in objectives)


def test_a_comparison_says_whose_figures_are_the_testbeds(tmp_path: Path) -> None:
    calm, full = make_run(tmp_path, ("live",)), make_run(tmp_path, ("live",), full=True)
    found = compare(calm, full)
    limited = [line for line in found.lines() if "limit" in line]
    assert limited == [f"B: the testbed was the limit: {MET}"]
    assert MET in write_comparison(found).read_text()


def test_both_clocks_joined_say_it(tmp_path: Path, bindrill: Callable[..., Any]) -> None:
    assert MET in bindrill("join", make_run(tmp_path, full=True).path).out


def test_variants_at_the_limit_are_neither_as_expected_nor_not(
    tmp_path: Path, bindrill: Callable[..., Any]
) -> None:
    both = scenario(
        variants=[{"name": "one", "expect": "missed"}, {"name": "other", "expect": "met"}],
        **IMPOSSIBLE,
    )
    run = RunFolder.create(tmp_path, both)
    for each, full in zip(both.variants, (False, True), strict=True):
        made = make_run(tmp_path / "parts" / each.name, ("live",), full=full, **IMPOSSIBLE)
        part = create_variant(run, each, variant(both, each.name))
        made.clock_folder("live").rename(part.clock_folder("live"))
        part.record.clocks = made.record.clocks
        part.save()
    assert expectation_of_all(played_variants(run)) == "limited"
    told = bindrill("report", run.path)
    assert told.code == 98
    assert "one: as expected" in told.out
    assert "other: limited" in told.out
    assert f"  Live run: the testbed was the limit: {MET}" in told.out
    assert "Variants: limited" in told.out
    page = (run.path / "report.html").read_text()
    assert '<div class="verdict limited">' in page
    assert "not judged, " in page
