"""Changes over a scenario, and what is said of bad ones."""

from __future__ import annotations

import pytest
from tiny_scenarios import TINY, VARIANTS

from scenarios.loader import dump, load_scenario
from scenarios.problems import ScenarioProblems
from scenarios.variants import changed, variant


def test_dotted_and_nested_changes_merge_and_leave_the_rest(written):
    base = load_scenario(written(TINY))
    for changes in (
        {"lender.bank.timeout": "7s", "fault.bank.mode": "hang"},
        {"lender": {"bank": {"timeout": "7s"}}, "faults": {"outage-bank": {"mode": "hang"}}},
        {"lender.bank": {"timeout": "7s"}, "faults.0.mode": "hang"},
    ):
        result = changed(base, changes)
        assert result.lender.bank.timeout == 7
        assert result.lender.bank.attempts == base.lender.bank.attempts
        assert result.lender.sms == base.lender.sms
        (fault,) = result.faults
        assert (fault.mode, fault.start, fault.duration) == ("hang", 6, 2)
    assert base.faults[0].mode == "503"


def test_another_kind_replaces_the_whole_and_lists_are_replaced(written):
    base = load_scenario(written(TINY))
    result = changed(
        base, {"arrivals": {"kind": "ramp", "start": "1/s", "end": "3/s"}, "faults": []}
    )
    assert result.arrivals.kind == "ramp"
    assert result.faults == ()


def test_a_variant_keeps_name_and_seed_and_survives_dump(written, tmp_path):
    base = load_scenario(written(TINY + VARIANTS))
    strict = variant(base, "strict")
    assert (strict.name, strict.seed, strict.variants) == (base.name, base.seed, ())
    assert strict.faults[0].duration == 6
    again = tmp_path / "again.yaml"
    again.write_text(dump(base))
    assert variant(load_scenario(again), "strict") == strict


MISTAKES = {
    "unknown field": ("lender.bnk.timeout: 5s", "lender.bnk.timeout", "did you mean bank?"),
    "bare duration": ("lender.bank.timeout: 5", "lender.bank.timeout", "5 has no unit; write 5s"),
    "unknown fault": ("fault.bnk.start: 3s", "fault.bnk.start", "write one of outage-bank, bank"),
    "late fault": ("fault.bank.start: 300s", "fault.bank.start", "but the run ends at 20s"),
    "seed": ("seed: 3", "seed", "same random numbers"),
    "name": ("name: other", "name", "a name of its own"),
    "variants in variants": ("variants: []", "variants", "has no variants"),
    "bad objective": ("objectives: [p95(confrm) < 1s]", "objectives[0]", "did you mean confirm?"),
    "not a list position": ("objectives.5: x", "objectives.5", "write it whole"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_bad_change_is_named_with_its_line(written, mistake):
    change, field, words = MISTAKES[mistake]
    file = written(f"{TINY}variants:\n- name: a\n- name: b\n  changes:\n    {change}\n")
    with pytest.raises(ScenarioProblems) as raised:
        load_scenario(file)
    (problem,) = raised.value.problems
    assert problem.line == 13
    assert problem.field == f"variants[1].changes.{field}"
    assert words in problem.message


def test_two_faults_of_one_target_must_be_told_apart(written):
    text = TINY.replace("faults:\n", "faults:\n- {kind: latency, target: bank, delay: 1s}\n")
    base = load_scenario(written(text))
    with pytest.raises(ScenarioProblems, match="write one of latency-bank, outage-bank"):
        changed(base, {"fault.bank.start": "1s"})
    assert changed(base, {"fault.latency-bank.delay": "2s"}).faults[0].delay.p50 == 2


def test_two_variants_of_one_name_and_unknown_variant(written):
    with pytest.raises(ScenarioProblems, match="another variant is called a too"):
        load_scenario(written(f"{TINY}variants:\n- name: a\n- name: a\n"))
    base = load_scenario(written(TINY + VARIANTS))
    with pytest.raises(ScenarioProblems, match=r"did you mean strict\?"):
        variant(base, "strikt")
