"""The pure pieces of the lender's policies, each alone, with the time passed in."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocks.lender.policies.adaptive_limit import AdaptiveLimit
from mocks.lender.policies.backoff import backoff
from mocks.lender.policies.breaker import Breaker, BreakerState
from mocks.lender.policies.bulkhead import Bulkhead
from mocks.lender.policies.deadline import NO_DEADLINE, Deadline
from mocks.lender.policies.decisions import Decisions
from mocks.lender.policies.drain import Drain
from mocks.lender.policies.front_queue import FrontQueue
from mocks.lender.policies.hedge_delay import HedgeDelay
from mocks.lender.policies.retry_budget import RetryBudget
from scenarios.policy import AdaptiveLimit as AdaptiveSettings
from scenarios.policy import Breaker as BreakerSettings
from scenarios.policy import CallPolicy, Hedge, LenderPolicy
from scenarios.policy import RetryBudget as BudgetSettings

# ── backoff ─────────────────────────────────────────────────────────────────────────────────────


@given(st.floats(0, 10), st.floats(0, 100), st.integers(1, 9), st.floats(0, 1, exclude_max=True))
def test_full_jitter_stays_below_the_capped_exponential(
    base: float, cap: float, retry: int, uniform: float
) -> None:
    policy = CallPolicy(backoff=base, max_backoff=cap, jitter="full")
    assert 0 <= backoff(policy, retry, uniform) <= min(cap, base * 2 ** (retry - 1))


def test_full_jitter_covers_the_whole_interval_and_none_ignores_the_draw() -> None:
    full = CallPolicy(backoff=1.0, jitter="full")
    assert [backoff(full, 3, draw) for draw in (0.0, 0.25, 0.5)] == [0.0, 1.0, 2.0]
    plain = CallPolicy(backoff=1.0, max_backoff=3.0)
    assert [backoff(plain, retry, 0.1) for retry in (1, 2, 3)] == [1.0, 2.0, 3.0]


# ── deadline ────────────────────────────────────────────────────────────────────────────────────


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0.001, 100))
def test_a_call_never_gets_more_than_what_is_left(at: float, now: float, timeout: float) -> None:
    clipped = Deadline(at).clip(timeout, now)
    assert 0 <= clipped <= timeout
    assert clipped <= max(0.0, at - now)
    assert Deadline(at).passed(now) == (Deadline(at).left(now) == 0)


def test_without_a_deadline_the_timeout_stands() -> None:
    assert NO_DEADLINE.clip(3.0, 1e12) == 3.0
    assert not NO_DEADLINE.passed(1e12)


# ── retry budget ────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.booleans(), max_size=400), st.floats(0, 1), st.floats(1, 20))
def test_budget_holds_retries_to_its_ratio_of_requests(
    events: list[bool], ratio: float, burst: float
) -> None:
    budget = RetryBudget(BudgetSettings(ratio=ratio, burst=burst))
    requests = retries = 0
    for is_request in events:
        if is_request:
            requests += 1
            budget.request()
        else:
            retries += budget.take()
        assert retries <= burst + ratio * requests + 1e-6


def test_budget_refills_by_requests() -> None:
    budget = RetryBudget(BudgetSettings(ratio=0.1, burst=1))
    assert budget.take()
    assert not budget.take()
    for _ in range(10):
        assert not budget.take()
        budget.request()
    assert budget.take()


# ── circuit breaker ─────────────────────────────────────────────────────────────────────────────

SETTINGS = BreakerSettings(
    failure_share=0.5, window=10.0, window_calls=20, minimum_calls=4, open_for=5.0, probes=2
)


def _call(breaker: Breaker, succeeded: bool | None, now: float) -> bool:
    ticket = breaker.admit(now)
    if ticket is None:
        return False
    breaker.settle(ticket, succeeded, now)
    return True


def _opened() -> tuple[Breaker, list[BreakerState]]:
    seen: list[BreakerState] = []
    breaker = Breaker(SETTINGS, seen.append)
    for _ in range(4):
        assert _call(breaker, False, 0.0)
    assert breaker.state == BreakerState.OPEN
    return breaker, seen


def test_breaker_needs_its_minimum_and_its_share() -> None:
    breaker = Breaker(SETTINGS)
    for _ in range(3):
        _call(breaker, False, 0.0)
    assert breaker.state == BreakerState.CLOSED
    breaker = Breaker(SETTINGS)
    for succeeded in (True,) * 5 + (False,) * 4:
        _call(breaker, succeeded, 0.0)
    assert breaker.state == BreakerState.CLOSED, "4 of 9 is below half"
    _call(breaker, False, 0.0)
    assert breaker.state == BreakerState.OPEN


def test_old_failures_slide_out_of_the_window() -> None:
    breaker = Breaker(SETTINGS)
    for now in (0.0, 1.0, 2.0):
        _call(breaker, False, now)
    _call(breaker, False, 12.0)
    assert breaker.state == BreakerState.CLOSED
    few = Breaker(BreakerSettings(window=1000.0, window_calls=4, minimum_calls=4))
    for succeeded in (False, True, True, True, True, False):
        _call(few, succeeded, 0.0)
    assert few.state == BreakerState.CLOSED, "the first failure is beyond the newest four"


def test_open_breaker_refuses_until_its_time_then_probes() -> None:
    breaker, seen = _opened()
    assert breaker.admit(4.9) is None
    assert breaker.refuses(4.9)
    assert breaker.wait(3.0) == pytest.approx(2.0)
    assert not breaker.refuses(5.0)
    probes = [breaker.admit(5.0), breaker.admit(5.0)]
    assert None not in probes
    assert breaker.admit(5.0) is None, "only so many probes"
    for ticket in probes:
        assert ticket is not None
        breaker.settle(ticket, True, 5.1)
    assert breaker.state == BreakerState.CLOSED
    assert seen == [BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED]


def test_one_failed_probe_opens_it_again_for_its_whole_time() -> None:
    breaker, _ = _opened()
    first, second = breaker.admit(5.0), breaker.admit(5.0)
    assert first is not None
    assert second is not None
    breaker.settle(first, False, 6.0)
    assert breaker.state == BreakerState.OPEN
    breaker.settle(second, True, 6.1)
    assert breaker.state == BreakerState.OPEN, "the other probe's news is old"
    assert breaker.admit(10.9) is None
    assert breaker.admit(11.0) is not None


def test_a_probe_that_was_not_made_frees_its_place() -> None:
    breaker, _ = _opened()
    for _ in range(5):
        assert _call(breaker, None, 5.0)
    assert breaker.state == BreakerState.HALF_OPEN


def test_answers_to_calls_from_before_the_opening_do_not_count() -> None:
    breaker = Breaker(SETTINGS)
    late = breaker.admit(0.0)
    assert late is not None
    for _ in range(4):
        _call(breaker, False, 0.0)
    assert breaker.admit(5.0) is not None
    breaker.settle(late, False, 5.1)
    assert breaker.state == BreakerState.HALF_OPEN


@given(st.lists(st.tuples(st.sampled_from([True, False, None]), st.floats(0, 4)), max_size=120))
def test_breaker_is_never_stuck(steps: list[tuple[bool | None, float]]) -> None:
    breaker, now = Breaker(SETTINGS), 0.0
    for succeeded, gap in steps:
        now += gap
        _call(breaker, succeeded, now)
    now += SETTINGS.open_for
    for _ in range(SETTINGS.probes):
        assert _call(breaker, True, now)
    assert breaker.state == BreakerState.CLOSED


# ── bulkhead and front queue ────────────────────────────────────────────────────────────────────


def test_bulkhead_refuses_beyond_its_places() -> None:
    bulkhead = Bulkhead(2)
    assert [bulkhead.enter() for _ in range(3)] == [True, True, False]
    bulkhead.leave()
    assert bulkhead.enter()


@given(st.lists(st.booleans(), max_size=300), st.integers(1, 5), st.integers(0, 5))
def test_front_queue_bounds_the_line_and_sheds_the_rest(
    events: list[bool], workers: int, longest: int
) -> None:
    decisions = Decisions()
    front, inside, shed = FrontQueue(workers, longest, decisions), 0, 0
    for arrives in events:
        if arrives:
            admitted = front.enter()
            assert admitted == (inside < workers + longest)
            inside += admitted
            shed += not admitted
        elif inside:
            front.leave()
            inside -= 1
    assert decisions.of("front_queue", "shed", "lender") == shed


def test_front_queue_without_a_bound_admits_everybody() -> None:
    front = FrontQueue(1, None, Decisions())
    assert all(front.enter() for _ in range(1000))


# ── adaptive limit ──────────────────────────────────────────────────────────────────────────────

AIMD = AdaptiveSettings(latency=1.0, initial=10, lowest=2, highest=12, decrease=0.5)


def _round(limit: AdaptiveLimit, seconds: float, succeeded: bool, now: float) -> None:
    """As many calls at once as the limit lets through, all with the same fate."""
    inside = 0
    while limit.enter():
        inside += 1
    for _ in range(inside):
        limit.leave(seconds, succeeded, now)


def test_limit_grows_by_about_one_a_round_up_to_its_highest() -> None:
    limit = AdaptiveLimit(AIMD)
    _round(limit, 0.2, True, 1.0)
    assert limit.limit == 10
    _round(limit, 0.2, True, 2.0)
    assert limit.limit == 11
    for now in range(3, 40):
        _round(limit, 0.2, True, now)
    assert limit.limit == 12


@pytest.mark.parametrize(("seconds", "succeeded"), [(3.0, False), (1.5, True)])
def test_limit_halves_once_a_round_on_congestion_down_to_its_lowest(
    seconds: float, succeeded: bool
) -> None:
    limit = AdaptiveLimit(AIMD)
    _round(limit, seconds, succeeded, 10.0)
    assert limit.limit == 5
    for now in range(20, 100, 10):
        _round(limit, seconds, succeeded, now)
    assert limit.limit == 2


def test_an_unused_limit_does_not_grow() -> None:
    limit = AdaptiveLimit(AIMD)
    for now in range(200):
        assert limit.enter()
        limit.leave(0.1, True, now)
    assert limit.limit == 10


def test_a_call_that_was_not_made_teaches_nothing() -> None:
    limit = AdaptiveLimit(AIMD)
    assert limit.enter()
    limit.leave(None, False, 1.0)
    _round(limit, 0.1, True, 2.0)
    assert limit.limit == 10


# ── hedge delay and drain ───────────────────────────────────────────────────────────────────────


def test_hedge_delay_follows_the_percentile_once_enough_is_known() -> None:
    delay = HedgeDelay(Hedge(percentile=0.9, delay=0.5))
    for n in range(19):
        delay.observe(n / 100)
    assert delay.seconds == 0.5
    delay.observe(0.19)
    assert delay.seconds == pytest.approx(0.18)
    for _ in range(400):
        delay.observe(2.0)
    assert delay.seconds == 2.0, "old latencies are forgotten"


@given(st.floats(0.1, 50), st.lists(st.floats(0, 3), max_size=80))
def test_drain_never_exceeds_its_rate(rate: float, gaps: list[float]) -> None:
    drain, now, sent = Drain(rate), 0.0, []
    for gap in gaps:
        now += gap
        if drain.wait(now) == 0:
            drain.take(now)
            sent.append(now)
    assert all(b - a >= 1 / rate - 1e-9 for a, b in pairwise(sent))


# ── the scenario's words ────────────────────────────────────────────────────────────────────────


def test_policies_are_off_by_default() -> None:
    policy = LenderPolicy()
    for call in (policy.bank, policy.sms, policy.payment):
        off = (call.breaker, call.retry_budget, call.adaptive_limit, call.hedge)
        assert off == (None,) * 4
        assert call.max_concurrent is None
        assert (call.jitter, call.after_no_answer) == ("none", "query")
    assert not policy.sms.fallback
    assert (policy.request_deadline, policy.max_queue, policy.accept_later) == (None, None, None)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"breaker": {"minimum_calls": 20, "window_calls": 10}}, "never open"),
        ({"adaptive_limit": {"initial": 5, "lowest": 8}}, "ascending"),
        ({"hedge": {"ops": ["open"]}}, "query"),
        ({"hedge": {"ops": ["charge"]}}, "charges nothing"),
    ],
)
def test_contradictions_are_refused(section: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LenderPolicy.model_validate({"bank": section})


@pytest.mark.parametrize("section", [{"hedge": {}}, {"after_no_answer": "resend"}])
def test_what_would_do_nothing_for_messages_is_refused(section: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a message has none"):
        LenderPolicy.model_validate({"sms": section})
