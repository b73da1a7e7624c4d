from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from fake_runs import make_run, record, rows, scenario
from hypothesis import given
from hypothesis import strategies as st

from reports.objectives import evaluate, measure, outcome_of
from reports.replications import merge
from reports.run_folder import RunFolder
from reports.summary_schema import Customers
from reports.verdict import conclude, shown_value, summary_of, verdict_lines, verdict_of
from scenarios.objectives import METRICS, parse_objective
from scenarios.units import exact_share


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return make_run(tmp_path_factory.mktemp("runs"))


def test_every_metric_has_a_measure(tmp_path: Path) -> None:
    faults = [
        {"kind": "outage", "target": "bank", "start": 20, "duration": 15},
        {"kind": "recorded-series", "target": "sms", "step": 5, "error_share": [0.0] * 12},
    ]
    summary = summary_of(make_run(tmp_path, ("live",), twin=True, faults=faults), "live")
    arguments = {
        "latency": "(confirm)",
        "step": "(confirm)",
        "cause": "(no_code)",
        "fault": "(bank)",
        "gateway": "(bank)",
        "nothing": "",
    }
    limits = {"s": "1s", "share": "50%", "/s": "1/s", "number": "1"}
    for metric in METRICS.values():
        text = f"{metric.name}{arguments[metric.takes]} < {limits[metric.unit]}"
        assert measure(parse_objective(text), summary) is not None, text


def test_values_are_those_of_the_summary(run: RunFolder) -> None:
    summary = summary_of(run, "live")
    texts = [
        "throughput >= 1/s",
        "p95(binding) < 1ms",
        "share(no_code) < 5%",
        "time_to_recover(outage-bank) < 1s",
        "p50(resend) < 9s",
    ]
    outcomes = evaluate(texts, summary)
    assert summary.binding is not None
    assert [outcome.value for outcome in outcomes] == [
        summary.throughput,
        summary.binding.p95,
        next(cause.share for cause in summary.causes if cause.cause == "no_code"),
        2.0,
        None,
    ]
    assert [outcome.holds for outcome in outcomes] == [True, False, True, False, False]


def test_a_target_stands_for_its_slowest_fault(run: RunFolder) -> None:
    faults = [
        {"kind": "outage", "target": "bank", "name": "first", "start": 20, "duration": 15},
        {"kind": "outage", "target": "bank", "name": "second", "start": 30, "duration": 6},
    ]
    sim = run.clock_folder("sim")
    from reports.summary import summarise

    summary = summarise(sim, scenario(faults=faults))
    times = [fault.time_to_recover for fault in summary.faults]
    assert measure(parse_objective("time_to_recover(bank) < 1s"), summary) == max(
        time for time in times if time is not None
    )
    first = parse_objective("time_to_recover(first) < 1s")
    assert measure(first, summary) == times[0]


def test_verdicts_and_lines(run: RunFolder) -> None:
    assert verdict_of(run) == "missed"
    lines = verdict_lines(run)
    assert lines[0].startswith("Simulation: objectives missed (")
    assert "  met     p95(confirm) < 800ms: " in "\n".join(lines)
    assert any(line.startswith("  missed  success_rate >= 99%: ") for line in lines)
    assert RunFolder.open(run.path).record.clocks["live"].verdict == "missed"


def test_met_when_every_objective_holds(tmp_path: Path) -> None:
    run = make_run(tmp_path, ("sim",), objectives=["success_rate > 1%"])
    assert verdict_of(run) == "met"
    assert verdict_lines(run)[0].startswith("Simulation: objectives met (")


def test_a_killed_run_is_interrupted_and_readable(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, scenario())
    record(run.begin("live"), rows(0.0, until=10.0))
    again = RunFolder.open(run.path)
    assert verdict_lines(again)[0].startswith("Live run: interrupted (")
    assert summary_of(again, "live").customers.issued == 250
    assert verdict_of(again) == "interrupted"


def test_a_failed_run_says_why(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, scenario())
    run.begin("live")
    conclude(run, "live", state="failed", wall_seconds=0.1, note="the lender did not start")
    assert verdict_lines(run)[0].startswith("Live run: failed: the lender did not start (")


def test_shares_and_rates_are_judged_by_their_counts(run: RunFolder) -> None:
    """Six digits of a third are below a third; the counts are not."""
    summary = msgspec.structs.replace(
        summary_of(run, "live"),
        states={"ACTIVE": 9_989_996, "REJECTED": 10_004},
        customers=Customers(planned=10_000_000, issued=10_000_000, ended=10_000_000, under_way=0),
        success_rate=0.999,
        duration=60.0,
        throughput=0.333333,
    )
    texts = ["throughput >= 20/m", "throughput > 20/m", "success_rate >= 99.9%"]
    outcomes = evaluate(texts, summary)
    assert [outcome.holds for outcome in outcomes] == [True, False, False]
    assert [shown_value(outcome) for outcome in outcomes] == ["0.33/s", "0.33/s", "99.89996 %"]
    held = merge({0: summary, 1: summary}, {0: 1, 1: 2}, texts, "all").objectives
    assert [each.holds for each in held] == [True, False, False]
    assert [each.held for each in held] == [2, 0, 0]


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [
        ("success_rate >= 99.9%", 0.999, "met 99.9 %"),
        ("success_rate >= 99.9%", 0.998995, "missed 99.8995 %"),
        ("success_rate < 99.9%", 0.998995, "met 99.8995 %"),
        ("success_rate >= 99.953%", 0.99954, "met 99.954 %"),
        ("p95(confirm) <= 800ms", 0.8, "met 800 ms"),
        ("p95(confirm) <= 800ms", 0.800003, "missed 800.003 ms"),
        ("p95(confirm) < 800ms", 0.79996, "met 799.96 ms"),
        ("p95(binding) <= 90s", 90.2, "missed 90.2 s"),
        ("throughput >= 8.2/s", 8.19999, "missed 8.19999/s"),
        ("lost_bindings <= 1200", 1200.4, "missed 1200.4"),
        ("error_rate(confirm) <= 0.001%", 0.0000100001, "missed 0.00100001 %"),
    ],
)
def test_what_is_shown_does_not_contradict_the_verdict(text: str, value: float, shown: str) -> None:
    outcome = outcome_of(parse_objective(text), value, value)
    assert f"{'met' if outcome.holds else 'missed'} {shown_value(outcome)}" == shown


@given(
    st.integers(900_000, 999_999),
    st.integers(90_000, 99_999),
    st.sampled_from(["<", "<=", ">", ">="]),
)
def test_what_is_shown_gives_the_same_verdict_again(value: int, limit: int, sign: str) -> None:
    objective = parse_objective(f"success_rate {sign} {limit / 1000:.3f}%")
    outcome = outcome_of(objective, value / 1e6, value / 1e6)
    assert objective.holds(exact_share(shown_value(outcome))) == outcome.holds
