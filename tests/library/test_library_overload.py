"""Shipped incidents of overload: the good policies meet the objectives, the bad ones miss them."""

from __future__ import annotations

from pathlib import Path

import pytest
from library_play import played

from reports.objectives import all_hold, evaluate
from reports.stability import recovers
from scenarios.library_index import names
from scenarios.loader import load_scenario
from scenarios.variants import changed, variant

DOCS = Path(__file__).parents[2] / "docs" / "incidents"
SHORTENED = {"retry-storm": {"duration": "150s"}}
INCIDENTS = (
    "retry-storm",
    "issuer-slow",
    "large-issuer-down",
    "payday-bank-down",
    "marketing-push",
    "flash-crowd",
    "cache-cold-restart",
    "recovery-stampede",
    "slow-disk",
    "stubborn-breaker",
)
PLAIN = {"baseline", "bank-outage"}
"""What others are compared with, and the main job: one policy each."""
CASES = [(name, each.name) for name in INCIDENTS for each in load_scenario(name).variants]


@pytest.mark.parametrize(("name", "policy"), CASES)
def test_objectives_tell_good_policies_from_bad_ones(
    name: str, policy: str, tmp_path: Path
) -> None:
    scenario = load_scenario(name)
    expected = next(each.expect for each in scenario.variants if each.name == policy)
    short = changed(variant(scenario, policy), SHORTENED.get(name, {}))
    outcomes = evaluate(short.objectives, played(short, tmp_path))
    found = "met" if all_hold(outcomes) else "missed"
    assert found == expected, [(each.text, each.value) for each in outcomes]


@pytest.mark.parametrize(
    ("policy", "comes_back"), [("naive-retries", False), ("budget+breaker", True)]
)
def test_a_storm_of_retries_outlives_its_trigger_ten_times(
    policy: str, comes_back: bool, tmp_path: Path
) -> None:
    trigger = {
        "arrivals.rate": "7/s",
        "fault.bank.duration": "10s",
        "duration": "150s",
        "objectives": [],
    }
    summary = played(changed(variant(load_scenario("retry-storm"), policy), trigger), tmp_path)
    (fault,) = summary.faults
    assert fault.end == 40.0
    assert recovers(summary) is comes_back
    series = summary.series
    late = [n for n in range(len(series.active)) if fault.end + 80 <= n * series.width < 150]
    share = sum(series.active[n] for n in late) / sum(series.offered[n] for n in late)
    assert share > 0.8 if comes_back else share < 0.1


@pytest.mark.parametrize("name", sorted(set(names()) - PLAIN))
def test_every_incident_has_both_kinds_of_policy(name: str) -> None:
    scenario = load_scenario(name)
    assert {each.expect for each in scenario.variants} == {"met", "missed"}
    assert scenario.variants[0].expect == "met", "the others are compared with the first"
    assert scenario.objectives


@pytest.mark.parametrize("name", names())
def test_every_scenario_says_what_to_look_for(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.title
    assert scenario.description
    if name == "baseline":
        return
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    assert "## What to look for" in text
    for each in scenario.variants:
        assert f"`{each.name}`" in text
