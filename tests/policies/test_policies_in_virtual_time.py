"""Each policy changes the outcome of a simulated run in the direction it is meant to."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
from simpy import Environment

from mocks.lender.policies.decisions import Decisions
from scenarios.arrivals import arrival_times
from scenarios.population import Population
from scenarios.schema import Scenario
from sim.player import Player
from sim.progress import Tally
from sim.run import build_world

DOWN = {"kind": "outage", "target": "bank", "start": "8s", "duration": "14s"}


class Call(NamedTuple):
    """A gateway call: when, and how long it took in seconds."""

    op: str
    at: float
    seconds: float


class Run:
    """What happened in one simulation."""

    def __init__(self, rows: list[tuple[Any, ...]], decisions: Decisions) -> None:
        self.rows = rows
        self.decisions = decisions
        self.states = Counter(row[11] for row in rows if row[0] == "end")
        self.active = self.states["ACTIVE"]

    def calls(self, gateway: str, op: str, start: float = 0.0, end: float = 1e9) -> list[Call]:
        return [
            Call(row[2], row[7], row[8] - row[7])
            for row in self.rows
            if row[0] == "call" and row[3] == gateway and row[2] == op and start <= row[7] < end
        ]

    def requests(self, step: str, code: str, start: float = 0.0, end: float = 1e9) -> list[float]:
        """Latencies in seconds of the answers with this code; `*` is any step."""
        return [
            row[8] - row[6]
            for row in self.rows
            if row[0] == "request" and step in ("*", row[2]) and row[10] == code
            if start <= row[7] < end
        ]


def simulated(
    policy: dict[str, Any], *faults: dict[str, Any], seconds: float = 30.0, **world: Any
) -> Run:
    scenario = Scenario.model_validate(
        {
            "name": "policies",
            "duration": seconds,
            "drain": 60.0,
            "population": {"size": 1000},
            "arrivals": {"kind": "constant", "rate": 4.0},
            "journey": {"pace": 0.05, "come_back": 0.0},
            "world": {"sms": {"limits": {"minute": 9, "hour": 99, "day": 99}}, **world},
            "lender": policy,
            "faults": faults,
        }
    )
    rows: list[tuple[Any, ...]] = []
    env, tally = Environment(), Tally()
    people = Population(scenario.population, scenario.seed)
    built = build_world(env, scenario, rows.append, people)
    player = Player(built, scenario, rows.append, tally)

    def arrivals():
        times = arrival_times(scenario.arrivals, scenario.seed, scenario.duration)
        for number, planned in enumerate(times):
            yield env.timeout(max(0.0, planned - env.now))
            player.arrive(people.customer(number), planned)

    env.process(arrivals())
    env.run(until=scenario.duration + scenario.drain)
    return Run(rows, built.lender.decisions)


def p95(latencies: list[float]) -> float:
    return float(np.percentile(latencies, 95))


def test_same_seed_same_run_with_every_policy_on() -> None:
    call = {
        "attempts": 3,
        "jitter": "full",
        "retry_budget": {},
        "breaker": {"minimum_calls": 5, "open_for": 2.0},
        "max_concurrent": 20,
        "adaptive_limit": {},
        "hedge": {"delay": 0.1},
    }
    lender = {
        "bank": call,
        "payment": call,
        "sms": {"fallback": True, "breaker": {}},
        "request_deadline": 5.0,
        "max_queue": 50,
        "accept_later": {"drain_rate": 4.0},
    }
    one, other = (simulated(lender, {**DOWN, "share": 0.7}) for _ in range(2))
    assert one.rows == other.rows
    assert one.decisions.all() == other.decisions.all()
    assert one.active > 0


def test_breaker_spares_the_bank_during_an_outage() -> None:
    bank = {"attempts": 3, "backoff": 0.1}
    without = simulated({"bank": bank}, DOWN)
    breaker = {"minimum_calls": 5, "open_for": 4.0}
    guarded = simulated({"bank": {**bank, "breaker": breaker}}, DOWN)
    calls = [len(run.calls("bank", "open", 8, 22)) for run in (without, guarded)]
    assert calls[1] < calls[0] / 3
    assert guarded.decisions.of("breaker", "opened", "bank") >= 1
    assert guarded.decisions.of("breaker", "closed", "bank") >= 1


def test_retries_after_timeouts_reach_the_bank_and_a_budget_bounds_them() -> None:
    hang = {**DOWN, "mode": "hang"}
    naive = {
        "attempts": 5,
        "backoff": 0.0,
        "timeout": 1.0,
        "after_no_answer": "resend",
        "queries": 0,
    }
    counts = []
    for policy in (naive, {**naive, "retry_budget": {"ratio": 0.1, "burst": 5}}):
        run = simulated({"bank": policy}, hang)
        opens = len(run.calls("bank", "open", 8, 22))
        confirmations = [row for row in run.rows if row[0] == "request" and row[2] == "confirm"]
        asked = len([row for row in confirmations if 3 <= row[7] < 22])
        counts.append((opens, asked))
    (storm, first), (bounded, requests) = counts
    assert storm > 1.5 * first
    assert bounded <= 1.1 * requests + 5


def test_second_carrier_saves_bindings_in_an_outage_of_the_first() -> None:
    first_down = {"kind": "outage", "target": "sms", "ops": ["send"]}
    without = simulated({}, first_down)
    both = simulated({"sms": {"attempts": 1, "fallback": True}}, first_down)
    assert without.active == 0
    assert both.active > 100
    assert both.decisions.of("sms_fallback", "sent", "sms_backup") >= both.active


def test_second_carrier_delivers_codes_that_the_first_loses() -> None:
    losing = {"sms": {"carrier": {"delay": 0.1, "loss": 0.9}, "backup": {"delay": 0.1, "loss": 0}}}
    limits = {"limits": {"minute": 9, "hour": 99, "day": 99}}
    world = {"sms": {**losing["sms"], **limits}}
    one, two = (simulated({"sms": {"fallback": on}}, **world) for on in (False, True))
    assert one.active < two.active / 2
    assert two.active > 100


def test_confirmations_accepted_in_an_outage_become_active_after_it() -> None:
    refused = simulated({}, DOWN)
    later = simulated({"accept_later": {"drain_rate": 5.0}}, DOWN)
    assert refused.requests("confirm", "BANK_UNAVAILABLE")
    assert not later.requests("confirm", "BANK_UNAVAILABLE")
    assert later.active > refused.active
    assert later.decisions.of("accept_later", "accepted", "bank") > 20


def _overloaded(**lender: Any) -> Run:
    machine = {"workers": 2, "cores": 1, "service": {"*": 0.1}}
    return simulated(lender, lender=machine)


def test_shedding_keeps_the_wait_of_the_admitted_short() -> None:
    everybody, bounded = _overloaded(), _overloaded(max_queue=10)
    assert max(everybody.requests("*", "OK")) > 5
    # 10 waiting and 2 in progress, each 100 ms of processor and what its partners take.
    assert p95(bounded.requests("*", "OK")) < p95(everybody.requests("*", "OK")) / 3
    assert bounded.requests("*", "OVERLOADED")
    assert bounded.decisions.of("front_queue", "shed", "lender") > 0


def test_deadline_drops_requests_that_waited_too_long() -> None:
    run = _overloaded(request_deadline=1.0)
    assert run.decisions.of("deadline", "refused", "lender") > 0
    # The deadline, and then the commits and answers on the way back.
    assert max(run.requests("*", "OK")) < 1.5


def test_bulkhead_keeps_a_hanging_bank_from_taking_all_workers() -> None:
    hang = {**DOWN, "mode": "hang"}
    machine = {"workers": 6}
    shared = simulated({}, hang, lender=machine)
    apart = simulated({"bank": {"max_concurrent": 2}}, hang, lender=machine)
    waits = [p95(run.requests("register", "OK", 8, 22)) for run in (shared, apart)]
    assert waits[1] < waits[0] / 5
    assert apart.decisions.of("bulkhead", "refused", "bank") > 0


def test_adaptive_limit_keeps_the_line_at_a_slow_bank_short() -> None:
    bank = {"latency": {"open": 1.0, "query": 0.05}, "concurrency": 2}
    limit = {"latency": 1.5, "initial": 10, "lowest": 1}
    free, limited = (
        simulated({"bank": {"timeout": 8.0, **policy}}, bank=bank)
        for policy in ({}, {"adaptive_limit": limit})
    )
    waits = [p95([c.seconds for c in run.calls("bank", "open", 15)]) for run in (free, limited)]
    assert waits[1] < waits[0] / 2
    assert limited.decisions.of("adaptive_limit", "refused", "bank") > 0


def test_hedging_cuts_the_tail_of_queries() -> None:
    bank = {"latency": {"open": 0.1, "query": {"p50": 0.05, "p99": 4.0}}, "unknown": 0.8}
    policy = {"timeout": 6.0, "query_after": 2.0}
    plain = simulated({"bank": policy}, bank=bank)
    hedged = simulated({"bank": {**policy, "hedge": {"percentile": 0.8, "delay": 0.2}}}, bank=bank)
    tails = [p95(run.requests("confirm", "OK")) for run in (plain, hedged)]
    assert tails[1] < tails[0]
    sent = hedged.decisions.of("hedge", "sent", "bank")
    assert 0 < sent < 0.5 * len(hedged.calls("bank", "query"))


def test_naive_retries_keep_a_bank_down_that_budget_and_breaker_let_recover() -> None:
    """A bank used to three fifths loses most of its places for 20 s, and then has all of them."""
    bank = {"latency": {"open": 0.6, "query": 0.2}, "concurrency": 4}
    trigger = {
        "kind": "degraded-capacity",
        "target": "bank",
        "factor": 0.25,
        "start": 5.0,
        "duration": 20.0,
    }
    naive = {
        "attempts": 5,
        "backoff": 0.0,
        "timeout": 2.0,
        "after_no_answer": "resend",
        "query_after": 0.1,
    }
    careful = {
        "attempts": 3,
        "backoff": 0.2,
        "jitter": "full",
        "timeout": 2.0,
        "queries": 2,
        "retry_budget": {"ratio": 0.1},
        "breaker": {"minimum_calls": 10, "open_for": 5.0},
    }
    after: list[int] = []
    for policy in (naive, careful):
        run = simulated({"bank": policy}, trigger, seconds=90.0, bank=bank)
        late = [row for row in run.rows if row[0] == "end" and 60 <= row[8] < 90]
        after.append(sum(row[11] == "ACTIVE" for row in late))
    assert after[0] == 0
    assert after[1] > 0.7 * 30 * 4
