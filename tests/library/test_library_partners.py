"""Shipped incidents of codes, payments, nodes and lines: the good policies meet the objectives, the
bad ones miss them."""

from __future__ import annotations

from pathlib import Path

import pytest
from library_play import played

from reports.objectives import all_hold, evaluate
from scenarios.loader import load_scenario
from scenarios.variants import variant

DOCS = Path(__file__).parents[2] / "docs" / "incidents"
INCIDENTS = (
    "sms-delay",
    "sms-province-loss",
    "sms-bombing",
    "dlr-outage",
    "charge-then-error",
    "notification-chaos",
    "lender-death",
    "flapping-network",
    "clock-skew",
)
CASES = [(name, each.name) for name in INCIDENTS for each in load_scenario(name).variants]


@pytest.mark.parametrize(("name", "policy"), CASES)
def test_objectives_tell_good_policies_from_bad_ones(
    name: str, policy: str, tmp_path: Path
) -> None:
    scenario = load_scenario(name)
    expected = next(each.expect for each in scenario.variants if each.name == policy)
    outcomes = evaluate(scenario.objectives, played(variant(scenario, policy), tmp_path))
    assert all(outcome.value is not None for outcome in outcomes if expected == "met")
    found = "met" if all_hold(outcomes) else "missed"
    assert found == expected, [(each.text, each.value) for each in outcomes]


@pytest.mark.parametrize("name", INCIDENTS)
def test_incidents_have_both_kinds_of_policy_and_a_text(name: str) -> None:
    scenario = load_scenario(name)
    assert {each.expect for each in scenario.variants} == {"met", "missed"}
    assert scenario.variants[0].expect == "met", "the others are compared with the first"
    assert scenario.duration + scenario.drain <= 120, "too long to be played live in a minute"
    text = (DOCS / f"{name}.md").read_text()
    assert text.startswith(f"# {name}\n")
    assert "## What to look for" in text
    for each in scenario.variants:
        assert f"`{each.name}`" in text


def test_attackers_press_until_they_are_refused(tmp_path: Path) -> None:
    everybody = {"attackers": 1.0, "attacker_presses": 7}
    scenario = load_scenario("sms-bombing")
    journey = scenario.journey.model_copy(update=everybody)
    attack = scenario.model_copy(update={"journey": journey, "duration": 10.0})

    unhindered = played(variant(attack, "no-limit"), tmp_path / "no-limit")
    codes = unhindered.steps["resend"].codes
    done = sum(each.count for each in unhindered.causes if each.cause == "attacker_done")
    assert done > 0
    assert codes["OK"] >= 7 * done

    hindered = played(variant(attack, "cooldown"), tmp_path / "cooldown")
    assert set(hindered.steps["resend"].codes) == {"SMS_LIMIT"}
    assert "attacker_refused" in {each.cause for each in hindered.causes}
    assert "attacker_done" not in {each.cause for each in hindered.causes}
