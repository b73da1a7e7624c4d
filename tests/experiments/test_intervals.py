from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reports.intervals import interval, paired


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(2, 30),
    mean=st.floats(-1e3, 1e3),
    deviation=st.floats(1e-3, 1e3),
)
def test_agrees_with_scipys_interval(seed, count, mean, deviation):
    values = list(np.random.default_rng(seed).normal(mean, deviation, count))
    found = interval(values)
    low, high = stats.t.interval(0.95, count - 1, np.mean(values), stats.sem(values))
    assert found.low == pytest.approx(low, rel=1e-4, abs=1e-4 * (high - low) + 1e-5 * abs(mean))
    assert found.high == pytest.approx(high, rel=1e-4, abs=1e-4 * (high - low) + 1e-5 * abs(mean))


@pytest.mark.parametrize("count", [3, 10])
def test_covers_the_true_mean_95_times_in_100(count):
    draw = np.random.default_rng(1)
    trials = 2000
    covered = 0
    for _ in range(trials):
        found = interval(list(draw.normal(10.0, 3.0, count)))
        covered += found.low <= 10.0 <= found.high
    # Three standard deviations of a binomial of 0.95.
    assert abs(covered / trials - 0.95) < 3 * math.sqrt(0.95 * 0.05 / trials)


def test_what_has_no_value_is_left_out():
    assert interval([None, None]) is None
    single = interval([None, 4.0])
    assert (single.count, single.mean, single.half_width, single.low) == (1, 4.0, None, None)
    assert not single.within(0.5)


def test_pairs_cancel_what_both_share():
    shared = np.random.default_rng(2).normal(100, 20, 12)
    difference = paired(list(shared), list(shared + 1.0))
    assert difference.mean == pytest.approx(1.0, rel=1e-4)
    assert difference.excludes_zero
    assert difference.half_width < interval(list(shared)).half_width / 100
    assert paired([1.0, None, 3.0], [2.0, 5.0, None]).count == 1
