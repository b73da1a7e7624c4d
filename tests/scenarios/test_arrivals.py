"""Arrival times: rising, in range, as many as planned, and the same gaps at every rate."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from scenarios.arrival_kinds import Arrivals
from scenarios.arrivals import arrival_times, expected_arrivals, rate_at, scaled
from scenarios.keyed import Keyed

ADAPTER: TypeAdapter[Arrivals] = TypeAdapter(Arrivals)

KINDS = {
    "constant": {"kind": "constant", "rate": 7.0},
    "poisson": {"kind": "poisson", "rate": 7.0},
    "ramp up": {"kind": "ramp", "start": 0.0, "end": 14.0},
    "ramp down and stay": {"kind": "ramp", "start": 20.0, "end": 2.0, "over": 30.0},
    "steps": {
        "kind": "steps",
        "steps": [
            {"rate": 2.0, "duration": 20.0},
            {"rate": 0.0, "duration": 10.0},
            {"rate": 12.0, "duration": 5.0},
        ],
    },
    "spike": {"kind": "spike", "rate": 2.0, "peak": 40.0, "at": 10.0, "duration": 5.0},
    "diurnal": {"kind": "diurnal", "rate": 7.0, "starts_at": 86390.0},
}
DURATION = 100.0


def made(record: dict[str, object]) -> Arrivals:
    return ADAPTER.validate_python(record)


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def arrivals(request) -> Arrivals:
    return made(request.param)


def test_rising_and_in_range(arrivals: Arrivals) -> None:
    times = list(arrival_times(arrivals, 3, DURATION))
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] < DURATION


def test_as_many_as_expected(arrivals: Arrivals) -> None:
    """The mean count over seeds is within four standard errors of a Poisson count's."""
    seeds = range(60)
    counts = [sum(1 for _ in arrival_times(arrivals, seed, DURATION)) for seed in seeds]
    expected = expected_arrivals(arrivals, DURATION)
    assert fmean(counts) == pytest.approx(expected, abs=4 * math.sqrt(expected / len(seeds)))


def test_expected_is_the_area_below_the_rate(arrivals: Arrivals) -> None:
    step = 0.01
    middles = ((n + 0.5) * step for n in range(round(DURATION / step)))
    area = sum(rate_at(arrivals, t, DURATION) * step for t in middles)
    assert expected_arrivals(arrivals, DURATION) == pytest.approx(area, rel=1e-3)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "constant"])
def test_each_arrival_is_where_the_area_reaches_the_gaps(kind: str) -> None:
    """Inversion: up to the n-th arrival the rate has the area of the first n + 1 gaps."""
    record = {"over": DURATION, **KINDS[kind]} if kind == "ramp up" else KINDS[kind]
    arrivals = made(record)
    keyed = Keyed(5)
    total = 0.0
    for n, time in enumerate(arrival_times(arrivals, 5, DURATION)):
        total -= math.log(keyed.uniform("arrival", n))
        assert expected_arrivals(arrivals, time) == pytest.approx(total, rel=1e-9, abs=1e-9)


def test_the_seed_decides(arrivals: Arrivals) -> None:
    first = list(arrival_times(arrivals, 1, DURATION))
    assert list(arrival_times(arrivals, 1, DURATION)) == first
    same_for_every_seed = arrivals.kind == "constant"
    assert (list(arrival_times(arrivals, 2, DURATION)) == first) is same_for_every_seed


def test_a_longer_run_begins_the_same() -> None:
    steady = made(KINDS["poisson"])
    short = list(arrival_times(steady, 1, 50))
    assert list(arrival_times(steady, 1, 100))[: len(short)] == short


def test_lazy() -> None:
    endless = arrival_times(made({"kind": "poisson", "rate": 1e6}), 1, 1e9)
    assert next(endless) < next(endless)


@given(st.floats(0.1, 50), st.floats(1.1, 9), st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_common_gaps_across_rates(rate: float, factor: float, seed: int) -> None:
    slow = made({"kind": "poisson", "rate": rate})
    fast = scaled(slow, rate * factor)
    times = list(arrival_times(slow, seed, 20))
    faster = list(arrival_times(fast, seed, 20))
    assert len(faster) >= len(times)
    for one, other in zip(times, faster, strict=False):
        assert one == pytest.approx(other * factor)


@given(
    st.lists(st.tuples(st.floats(0, 30), st.floats(0, 10)), min_size=1, max_size=6),
    st.floats(0.1, 60),
    st.integers(0, 1000),
)
@settings(max_examples=100, deadline=None)
def test_any_staircase(stages: list[tuple[float, float]], duration: float, seed: int) -> None:
    steps = [{"rate": rate, "duration": length} for rate, length in stages]
    staircase = made({"kind": "steps", "steps": steps})
    times = list(arrival_times(staircase, seed, duration))
    assert times == sorted(times)
    for time in times:
        assert 0 <= time < duration
    expected = expected_arrivals(staircase, duration)
    assert abs(len(times) - expected) <= 6 * math.sqrt(expected) + 6


def test_no_rate_no_arrivals() -> None:
    for record in ({"kind": "poisson", "rate": 0}, {"kind": "constant", "rate": 0}):
        assert list(arrival_times(made(record), 1, 100)) == []
        assert expected_arrivals(made(record), 100) == 0


def test_scaling_keeps_the_shape(arrivals: Arrivals) -> None:
    base = {"ramp": lambda a: (a.start + a.end) / 2, "steps": lambda a: 100 / 35}
    present = base.get(arrivals.kind, lambda a: a.rate)(arrivals)
    tripled = scaled(arrivals, 3 * present)
    for t in (1.0, 12.0, 33.0, 99.0):
        now = rate_at(arrivals, t, DURATION)
        assert rate_at(tripled, t, DURATION) == pytest.approx(3 * now)


def test_a_shape_without_rate_cannot_be_scaled() -> None:
    with pytest.raises(ValueError, match="own rate is 0"):
        scaled(made({"kind": "ramp", "start": 0, "end": 0}), 5)


def test_a_day_has_its_mean_and_its_hours() -> None:
    hours = [1.0] * 23 + [25.0]
    day = made({"kind": "diurnal", "rate": 2.0, "hours": hours, "starts_at": 22 * 3600})
    assert expected_arrivals(day, 86400) == pytest.approx(2 * 86400)
    assert rate_at(day, 1800, 86400) == pytest.approx(1.0)
    assert rate_at(day, 3600 + 1800, 86400) == pytest.approx(25.0)


def test_recorded(tmp_path: Path) -> None:
    (tmp_path / "trace.csv").write_text("\ufeffsource, seconds\na,1\nb,2.5\n\nc,2.5\nd,8\n")
    trace = made({"kind": "recorded", "file": "trace.csv"})
    assert list(arrival_times(trace, 1, 100, tmp_path)) == [1.0, 2.5, 2.5, 8.0]
    assert list(arrival_times(trace, 1, 8, tmp_path)) == [1.0, 2.5, 2.5]
    assert expected_arrivals(trace, 8, tmp_path) == 3
    assert rate_at(trace, 2.4, 100, tmp_path) == 2
    doubled = scaled(trace, 1.0)  # four in 8 s are 0.5 a second
    assert list(arrival_times(doubled, 1, 100, tmp_path)) == [0.5, 1.25, 1.25, 4.0]
    assert expected_arrivals(doubled, 3, tmp_path) == 3


def test_a_changed_recording_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "trace.csv"
    file.write_text("seconds\n1\n")
    trace = made({"kind": "recorded", "file": str(file)})
    assert list(arrival_times(trace, 1, 10)) == [1.0]
    file.unlink()
    with pytest.raises(ValueError, match="does not exist"):
        arrival_times(trace, 1, 10)
