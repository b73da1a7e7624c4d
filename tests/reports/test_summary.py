from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from fake_runs import OUTAGE, RATE, record, rows, scenario
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import events
from reports.summary import distribution, summarise
from reports.summary_schema import Summary, read_summary, write_summary

DURATIONS = st.floats(0, 1e4, allow_nan=False, width=32)


def _of(tmp_path: Path, made: list[events.Row], **changes: object) -> Summary:
    record(tmp_path, iter(made))
    return summarise(tmp_path, scenario(**changes))


def _naive_quantile(values: list[float], level: float) -> float:
    ordered = sorted(values)
    place = level * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


@given(st.lists(DURATIONS, min_size=1, max_size=200))
def test_percentiles_agree_with_a_naive_computation(values: list[float]) -> None:
    found = distribution(np.array(values))
    assert found is not None
    close = {"rel": 1e-5, "abs": 1e-9}
    for level in (50, 90, 95, 99):
        value = getattr(found, f"p{level}")
        assert value == pytest.approx(_naive_quantile(values, level / 100), **close)
    assert found.mean == pytest.approx(fmean(values), **close)
    assert found.max == pytest.approx(max(values), **close)
    assert found.count == len(values)
    assert list(found.quantiles) == sorted(found.quantiles)
    assert found.p50 <= found.p90 <= found.p95 <= found.p99 <= found.max


CUSTOMERS = st.lists(
    st.tuples(
        st.sampled_from(["ACTIVE", "FAILED", "ABANDONED", "under way"]),
        st.sampled_from(["one", "two"]),
        st.integers(0, 7),
        DURATIONS,
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=30)
@given(CUSTOMERS)
def test_counts_agree_with_a_naive_computation(
    customers: list[tuple[str, str, int, float]],
) -> None:
    steps = ("register", "documents", "submit", "otp", "confirm", "authorise", "test_payment")
    made: list[events.Row] = []
    for n, (state, cause, depth, took) in enumerate(customers):
        made.append(events.arrival(n, n * 1.0, n + 0.25))
        made += [
            events.otp(n, 1, n * 1.0, n + took, "READ")
            if step == "otp"
            else events.request(n, step, 1, n * 1.0, n * 1.0, n + took, 200, "OK")
            for step in steps[:depth]
        ]
        if state != "under way":
            made.append(events.end(n, n * 1.0, n + took, state, cause))
    with TemporaryDirectory() as folder:
        summary = _of(Path(folder), made)
    ended = [c for c in customers if c[0] != "under way"]
    active = [c for c in ended if c[0] == "ACTIVE"]
    assert summary.customers.issued == len(customers)
    assert summary.customers.under_way == len(customers) - len(ended)
    assert sum(summary.states.values()) == summary.customers.ended == len(ended)
    assert sum(c.count for c in summary.causes) == len(ended) - len(active)
    assert sum(summary.series.offered) == sum(summary.series.issued) == len(customers)
    assert sum(summary.series.active) == len(active)
    assert (summary.binding.count if summary.binding else 0) == len(active)
    if ended:
        assert summary.success_rate == pytest.approx(len(active) / len(ended), rel=1e-5)
        shares = sum(cause.share for cause in summary.causes)
        assert shares + len(active) / len(ended) == pytest.approx(1, abs=1e-4)
    else:
        assert summary.success_rate is None
    for i, stage in enumerate(summary.funnel):
        reached = [c for c in customers if c[2] > i or c[0] == "ACTIVE"]
        assert stage.reached == len(reached)
    counts = [count for stage in summary.funnel for count in (stage.reached, stage.passed)]
    assert counts == sorted(counts, reverse=True)
    assert summary.funnel[-1].passed == len(active)
    for step, series in summary.series.steps.items():
        assert sum(series.count) == summary.steps[step].latency.count


def test_the_same_events_give_the_same_bytes(tmp_path: Path) -> None:
    made = list(rows(2.0))
    contents = set()
    for name, part_rows in (("one", 10**6), ("many", 700)):
        record(tmp_path / name, iter(made), part_rows=part_rows)
        path = write_summary(summarise(tmp_path / name, scenario()), tmp_path / name)
        contents.add(path.read_bytes())
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2]);"
        "from fake_runs import scenario; from reports.summary import summarise;"
        "from reports.summary_schema import write_summary;"
        "folder = Path(sys.argv[1]); write_summary(summarise(folder, scenario()), folder)"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "many"), str(Path(__file__).parent)],
        env={**os.environ, "POLARS_MAX_THREADS": "1"},
        check=True,
    )
    contents.add((tmp_path / "many" / "summary.json").read_bytes())
    assert len(contents) == 1


def test_a_summary_reads_back_as_it_was_written(tmp_path: Path) -> None:
    summary = _of(tmp_path, list(rows(0.0)))
    write_summary(summary, tmp_path)
    assert read_summary(tmp_path) == summary


def test_an_outage_shows_in_throughput_and_recovery(tmp_path: Path) -> None:
    summary = _of(tmp_path, list(rows(2.0)))
    series = summary.series
    assert series.width == 1.0
    assert sum(series.active[22:34]) == 0
    assert min(series.active[5:19]) > 0
    (fault,) = summary.faults
    assert fault.before == 1.0
    assert fault.during == 0.0
    assert (fault.start, fault.end) == OUTAGE
    # Confirms fail for two seconds after the fault has gone.
    assert fault.time_to_recover == 2.0


def test_a_fault_that_is_not_recovered_from_has_no_time(tmp_path: Path) -> None:
    summary = _of(tmp_path, list(rows(100.0)))
    assert summary.faults[0].time_to_recover is None


def test_a_fault_that_lasts_has_no_end(tmp_path: Path) -> None:
    faults = [{"kind": "outage", "target": "bank", "start": OUTAGE[0]}]
    (fault,) = _of(tmp_path, list(rows(0.0)), faults=faults).faults
    assert fault.end is None
    assert fault.time_to_recover is None


def test_errors_are_5xx_and_silence_but_not_declines(tmp_path: Path) -> None:
    statuses = [(200, "OK"), (402, "BANK_DECLINED"), (503, "BANK_UNAVAILABLE"), (0, "TIMEOUT")]
    made = [
        events.request(n, "confirm", 1, 0.0, 0.0, 1.0, status, code)
        for n, (status, code) in enumerate(statuses)
    ]
    made += [events.otp(0, 1, 0.0, 1.0, "READ"), events.otp(1, 1, 0.0, 1.0, "TIMEOUT")]
    summary = _of(tmp_path, made)
    assert summary.steps["confirm"].error_rate == 0.5
    assert summary.steps["confirm"].codes == {code: 1 for _, code in statuses}
    assert summary.steps["otp"].error_rate == 0.5


def test_an_accepted_payment_alone_does_not_pass_the_funnel(tmp_path: Path) -> None:
    made = [
        events.request(0, "test_payment", 1, 0.0, 0.0, 1.0, 202, "OK"),
        events.end(0, 0.0, 2.0, "FAILED", "payment_declined"),
        events.request(1, "confirm", 1, 0.0, 0.0, 1.0, 202, "OK"),
    ]
    funnel = {stage.step: stage for stage in _of(tmp_path, made).funnel}
    assert (funnel["test_payment"].reached, funnel["test_payment"].passed) == (1, 0)
    assert (funnel["confirm"].reached, funnel["confirm"].passed) == (2, 1)


def test_gateway_calls_without_an_answer_have_no_latency(tmp_path: Path) -> None:
    made = [
        events.call("bank", "open", "icbc", 1.0, 0.25, 200, "00"),
        events.call("bank", "open", "icbc", 2.0, float("inf"), 0, "HANG"),
        events.call("sms", "send", "", 3.0, float("inf"), 0, "HANG"),
    ]
    bank, sms = _of(tmp_path, made).gateways
    assert (bank.calls, bank.unanswered, bank.codes) == (2, 1, {"00": 1, "HANG": 1})
    assert bank.latency is not None
    assert bank.latency.max == 0.25
    assert (sms.calls, sms.unanswered, sms.latency) == (1, 1, None)


def test_littles_law_and_the_schedule_hold_on_a_full_run(tmp_path: Path) -> None:
    summary = _of(tmp_path, list(rows(2.0)))
    assert summary.in_system is not None
    assert summary.in_system.ratio == pytest.approx(1, abs=0.02)
    assert summary.lateness is not None
    assert 0 < summary.lateness.max <= 0.02
    assert summary.customers.planned == RATE * 60


def test_an_empty_run_has_a_summary(tmp_path: Path) -> None:
    summary = summarise(tmp_path, scenario(), planned=9)
    assert summary.customers.planned == 9
    assert summary.throughput == 0
    assert summary.binding is summary.success_rate is summary.in_system is None
    assert summary.steps == {}
