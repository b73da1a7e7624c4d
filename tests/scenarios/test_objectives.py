"""Objectives: read, held against values, and refused with a mend."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.contract import OPERATIONS
from scenarios.objectives import METRICS, parse_objective


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("p95(confirm) < 800ms", ("p95", "confirm", "<", 0.8, "s")),
        ("p50(binding) < 60s", ("p50", "binding", "<", 60.0, "s")),
        ("max( otp )<=1m30s", ("max", "otp", "<=", 90.0, "s")),
        ("success_rate >= 99%", ("success_rate", "", ">=", 0.99, "share")),
        ("success_rate > 0.5", ("success_rate", "", ">", 0.5, "share")),
        ("error_rate(confirm) <= 2%", ("error_rate", "confirm", "<=", 0.02, "share")),
        ("share(bank_unavailable) <= 5%", ("share", "bank_unavailable", "<=", 0.05, "share")),
        ("share(our_own_cause) <= 5%", ("share", "our_own_cause", "<=", 0.05, "share")),
        ("throughput >= 300/m", ("throughput", "", ">=", 5.0, "/s")),
        ("time_to_recover(bank) < 30s", ("time_to_recover", "bank", "<", 30.0, "s")),
        ("time_to_recover(outage-bank) < 30s", ("time_to_recover", "outage-bank", "<", 30.0, "s")),
        ("drain_time(bank) < 2m", ("drain_time", "bank", "<", 120.0, "s")),
        ("amplification(sms) < 1.5", ("amplification", "sms", "<", 1.5, "number")),
        ("lost_bindings <= 120", ("lost_bindings", "", "<=", 120.0, "number")),
    ],
)
def test_read(text: str, parts: tuple[object, ...]) -> None:
    objective = parse_objective(f"  {text} ")
    assert objective.text == text
    assert (
        objective.metric,
        objective.argument,
        objective.operator,
        pytest.approx(objective.limit),
        objective.unit,
    ) == parts


ARGUMENTS = {
    "nothing": st.just(""),
    "latency": st.sampled_from([*OPERATIONS, "otp", "binding"]),
    "step": st.sampled_from([*OPERATIONS, "otp"]),
    "cause": st.sampled_from(["bank_unavailable", "identity_mismatch"]),
    "fault": st.sampled_from(["bank", "night-outage"]),
    "gateway": st.sampled_from(["bank", "sms", "payment"]),
}
WRITTEN = {
    "s": lambda n: f"{n}ms",
    "share": lambda n: f"{n / 100}%",
    "/s": lambda n: f"{n}/h",
    "number": lambda n: f"{n / 8}",
}
SCALE = {"s": 1e-3, "share": 1e-4, "/s": 1 / 3600, "number": 1 / 8}


@given(st.data())
def test_round_trip(data: st.DataObject) -> None:
    """Whatever is written in any unit comes back, whatever the spaces."""
    metric = data.draw(st.sampled_from(list(METRICS.values())))
    argument = data.draw(ARGUMENTS[metric.takes])
    operator = data.draw(st.sampled_from(["<", "<=", ">", ">="]))
    number = data.draw(st.integers(0, 10_000))
    gap = data.draw(st.sampled_from(["", " ", "  "]))
    of = f"({argument})" if argument else ""
    text = f"{metric.name}{of}{gap}{operator}{gap}{WRITTEN[metric.unit](number)}"
    objective = parse_objective(text)
    assert (objective.metric, objective.argument) == (metric.name, argument)
    assert objective.operator == operator
    assert objective.limit == pytest.approx(number * SCALE[metric.unit])
    assert parse_objective(objective.text) == objective


@pytest.mark.parametrize(
    ("operator", "below", "equal", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
    ],
)
def test_holds(operator: str, below: bool, equal: bool, above: bool) -> None:
    objective = parse_objective(f"p95(confirm) {operator} 500ms")
    assert [objective.holds(value) for value in (0.4, 0.5, 0.6)] == [below, equal, above]


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("success_rate >= 99.9%", Fraction(999, 1000), True),
        ("success_rate >= 0.999", 0.999, True),
        ("success_rate >= 99.9%", 0.999, True),
        ("success_rate > 99.9%", 0.999, False),
        ("success_rate >= 99.9%", Fraction(9_989_999, 10_000_000), False),
        ("success_rate >= 66.67%", Fraction(2, 3), False),
        ("error_rate(confirm) <= 0.1%", 0.001, True),
        ("error_rate(confirm) < 0.1%", 0.001, False),
        ("p95(confirm) <= 700ms", 0.7, True),
        ("p95(confirm) <= 800ms", 0.8, True),
        ("p95(confirm) < 1m1100ms", 61.1, False),
        ("throughput >= 8.2/s", 8.2, True),
        ("throughput >= 492/m", 8.2, True),
        ("throughput >= 20/m", Fraction(20, 60), True),
        ("throughput > 20/m", Fraction(20, 60), False),
        ("money_stuck <= 0.3", 0.3, True),
    ],
)
def test_values_are_compared_as_written(text: str, value: Any, holds: bool) -> None:
    assert parse_objective(text).holds(value) is holds


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_a_share_of_counts_is_at_least_and_at_most_itself(part: int, more: int) -> None:
    """Whatever the counts: n of m meets `>= n/m` written in percent, and not `>` nor `<`."""
    whole = 10_000
    part = min(part, whole)
    percent = f"{part // 100}.{part % 100:02d}%"
    for value in (Fraction(part * more, whole * more), part / whole):
        assert parse_objective(f"success_rate >= {percent}").holds(value)
        assert parse_objective(f"success_rate <= {percent}").holds(value)
        assert not parse_objective(f"success_rate > {percent}").holds(value)
        assert not parse_objective(f"success_rate < {percent}").holds(value)


def test_a_label_may_hold_signs_of_comparison() -> None:
    objective = parse_objective("time_to_recover(a<b>=c) <= 30s")
    assert (objective.argument, objective.operator) == ("a<b>=c", "<=")


def test_what_could_not_be_measured_is_missed() -> None:
    for text in ("p95(confirm) < 1s", "p95(confirm) > 0s"):
        assert not parse_objective(text).holds(None)
        assert not parse_objective(text).holds(math.nan)


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("", "write metric"),
        ("p95(" + " " * 2000 + "x", "such as p95(confirm) < 800ms"),
        ("p95(confirm) < 1s" + " " * 500, "is not an objective"),
        ("p95((confirm)) < 1s", "is not an objective"),
        ("p95(confirm)\n< 1s", "has a line end in it"),
        ("p95(confirm) < \ud8001s", "half of a surrogate pair"),
        ("p95(confirm) < 20:00", "write 20h for hours and minutes"),
        ("fast", "such as p95(confirm) < 800ms"),
        ("p95(confirm) <", "is not a duration; write 250ms"),
        ("p96(confirm) < 1s", "did you mean p9"),
        ("speed < 1s", "write one of p50, p90"),
        ("p95(confrim) < 1s", "did you mean confirm?"),
        ("p95(bank) < 1s", "write one of register, documents"),
        ("error_rate(binding) < 1%", "there is no step 'binding'"),
        ("p95 < 1s", "write p95(confirm)"),
        ("time_to_recover < 1s", "write time_to_recover(bank)"),
        ("share(Bank down) < 1%", "write a word such as bank_unavailable"),
        ("share(bank_unavailble) <= 0%", "did you mean bank_unavailable?"),
        ("share(otp_not_recieved) <= 0%", "did you mean otp_not_received?"),
        ("throughput(bank) > 1/s", "takes no argument; write throughput"),
        ("success_rate == 99%", "write one of < <= > >="),
        ("success_rate >= 99", "99 is above 1; write 99%"),
        ("success_rate >= 101%", "write 100% or less"),
        ("success_rate >= nan", "is not a share"),
        ("throughput >= 5", "is not a rate; write 50/s"),
        ("amplification(lender) < 2", "there is no gateway 'lender'; write one of bank, sms"),
        ("amplification < 2", "needs a gateway; write amplification(bank)"),
        ("lost_bindings <= 5%", "is not a number; write 0, 120"),
        ("throughput >= -5/s", "is below 0"),
        ("p95(confirm) < 5", "is not a duration; write 250ms"),
    ],
)
def test_refused_with_a_mend(text: str, mend: str) -> None:
    with pytest.raises(ValueError) as raised:
        parse_objective(text)
    assert mend in str(raised.value)
