"""The search against synthetic truths, of which the limit is known."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.capacity.search import NOISE, Bounds, Search


def searched(
    holds: Callable[[float, int], bool],
    *,
    start: float = 6.0,
    lowest: float = 0.5,
    highest: float = 500.0,
    precision: float = 0.05,
    lead: int = 1,
    most: int = 9,
    measures: int = 400,
    step: float = 2.0,
) -> Search:
    bounds = Bounds(start=start, lowest=lowest, highest=highest)
    search = Search(bounds, precision=precision, lead=lead, most=most, measures=measures, step=step)
    asked = 0
    while (ask := search.ask()) is not None:
        for number in range(ask.first, ask.first + ask.times):
            asked += 1
            assert asked <= measures
            search.tell(ask.rate, holds(ask.rate, number))
    return search


@given(limit=st.floats(0.6, 490.0), start=st.floats(0.5, 500.0), step=st.floats(1.1, 4.0))
def test_a_sharp_limit_is_enclosed_to_the_precision(limit, start, step):
    search = searched(lambda rate, _: rate <= limit, start=start, step=step)
    assert search.state == "found"
    assert search.low <= limit < search.high
    assert search.high / search.low <= 1.05 + 1e-9


# The same examples every time: of thirty new ones, one is beyond three deviations now and then.
@settings(max_examples=30, deadline=None, derandomize=True)
@given(limit=st.floats(2.0, 200.0), seed=st.integers(0, 2**32))
def test_noisy_outcomes_enclose_the_limit_as_often_as_stated(limit, seed):
    draws = random.Random(seed)
    tries, enclosed, stated = 60, 0, 1.0
    for _ in range(tries):
        search = searched(
            lambda rate, _: (rate <= limit) != (draws.random() < NOISE), lead=3, most=15
        )
        enclosed += (search.low or 0.0) <= limit < (search.high or float("inf"))
        stated = min(stated, search.confidence)
    # Three standard deviations of the chance in so many tries.
    slack = 3 * (stated * (1 - stated) / tries) ** 0.5 + 1 / tries
    assert stated > 0.97
    assert enclosed / tries >= stated - slack


def test_outcomes_mixed_at_the_limit_leave_that_rate_open():
    """Between 20/s and 22/s every other run holds: no rate there may be called either."""
    search = searched(
        lambda rate, number: number % 2 == 0 if 20 <= rate <= 22 else rate < 20, lead=2
    )
    assert search.low < 20
    assert search.high > 22
    assert search.low > 19
    assert search.high < 23


def test_what_always_and_never_holds_says_so_at_the_bounds():
    always = searched(lambda rate, _: True, highest=100.0)
    assert (always.state, always.low, always.high) == ("always", 100.0, None)
    never = searched(lambda rate, _: False, lowest=1.0)
    assert (never.state, never.low, never.high) == ("never", None, 1.0)


def test_measures_are_bounded_and_the_ends_so_far_kept():
    search = searched(lambda rate, _: rate <= 40, measures=5, precision=0.001)
    assert search.state == "unsettled"
    assert (search.low, search.high) == (33.94, 48.0)


def test_repeats_at_one_rate_are_numbered_on_so_that_seeds_can_be_shared():
    search = Search(
        Bounds(start=8, lowest=1, highest=64), precision=0.1, lead=3, most=9, measures=50
    )
    assert (search.ask().first, search.ask().times) == (0, 3)
    search.tell(8, True)
    search.tell(8, False)
    assert (search.ask().rate, search.ask().first, search.ask().times) == (8, 2, 3)
    for _ in range(3):
        search.tell(8, True)
    assert search.decided(8) == "holds"
    assert (search.ask().rate, search.ask().first) == (16, 0)


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ({"start": 5, "lowest": 6, "highest": 7}, "out of order"),
        ({"start": 5, "lowest": 0, "highest": 7}, "out of order"),
    ],
)
def test_bounds_out_of_order_are_refused(rates, message):
    with pytest.raises(ValueError, match=message):
        Bounds(**rates)


@given(
    limit=st.floats(0.6, 490.0),
    fence=st.floats(0.6, 490.0),
    start=st.floats(0.5, 500.0),
    step=st.floats(1.1, 4.0),
)
def test_a_rate_that_cannot_be_measured_is_never_called_the_limit(limit, fence, start, step):
    bounds = Bounds(start=start, lowest=0.5, highest=500.0)
    search = Search(bounds, precision=0.05, lead=1, most=9, measures=400, step=step)
    while (ask := search.ask()) is not None:
        if ask.rate >= fence:
            search.tell_limited(ask.rate)
        else:
            search.tell(ask.rate, ask.rate <= limit)
    if search.state == "found":
        assert search.low <= limit < search.high < fence
    else:
        assert search.state == "limited"
        assert search.high is None
        assert search.beyond >= fence
        assert search.low is None or search.low < fence
        assert search.low is None or search.beyond / search.low <= 1.05 + 1e-9
        assert search.low is not None or search.beyond == 0.5 or limit < 0.6 or fence < 0.6


def test_a_measure_at_the_testbeds_limit_takes_one_of_those_allowed():
    bounds = Bounds(start=8.0, lowest=1.0, highest=64.0)
    search = Search(bounds, precision=0.05, lead=2, most=5, measures=1)
    search.tell_limited(8.0)
    assert (search.state, search.ask(), search.confidence) == ("unsettled", None, 1.0)
