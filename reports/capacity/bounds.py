"""Quick bounds of the limit from the scenario's own figures, without simulating it.

- Utilisation: a resource of c places is full at c / (seconds of it that an arrival needs).
- Waiting for the lender's processor: M/M/c (Erlang C), and G/G/c by Allen and Cunneen, whose mean
  wait is that of M/M/c times (ca2 + cs2) / 2, with the squared coefficients of variation of the
  times between arrivals and of service (A. O. Allen, "Probability, Statistics, and Queueing
  Theory", 2nd ed. 1990, section 5.3.5).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
from scipy.optimize import brentq

from reports.numbers import significant
from reports.queueing import erlang_c
from scenarios.distributions import Z99, Delay
from scenarios.objectives import parse_objective
from scenarios.schema import Scenario

_LEVELS = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """A limit as a model gives it, in arrivals a second; `says` in words what holds up to it."""

    model: str
    rate: float
    says: str


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """What an arrival asks for, as measured at a low rate: requests to the lender by step, calls by
    gateway, and by step the percentiles of latency (keys `p50`, `p90`, `p95`, `p99`)."""

    requests: dict[str, float]
    calls: dict[str, float]
    latency: dict[str, dict[str, float]]


def variation(delay: Delay) -> float:
    """Squared coefficient of variation: exp(sigma ** 2) - 1 of a log-normal; 0 of a constant."""
    if delay.p50 <= 0 or delay.p50 == delay.p99:
        return 0.0
    return math.expm1((math.log(delay.p99 / delay.p50) / Z99) ** 2)


def pooled(services: Sequence[tuple[float, Delay]]) -> tuple[float, float]:
    """Mean (seconds) and squared coefficient of variation of a mixture of services by weight."""
    whole = sum(weight for weight, _ in services)
    mean = sum(weight * each.mean for weight, each in services) / whole
    second = sum(weight * each.mean**2 * (1 + variation(each)) for weight, each in services) / whole
    return mean, second / mean**2 - 1


def bounds_of(scenario: Scenario, demand: Demand) -> tuple[Bound, ...]:
    """Every bound that the scenario's figures give, the tightest first."""
    return tuple(
        sorted(
            (*_utilisation(scenario, demand), *_processor(scenario, demand)),
            key=lambda bound: bound.rate,
        )
    )


def services_of(scenario: Scenario, demand: Demand) -> list[tuple[float, Delay]]:
    """The lender's service times that an arrival asks for, each with how many of it."""
    return [(count, _service(scenario, op)) for op, count in demand.requests.items() if count]


def _utilisation(scenario: Scenario, demand: Demand) -> list[Bound]:
    machine = scenario.world.lender
    found: list[Bound] = []
    if services := services_of(scenario, demand):
        seconds = sum(count * service.mean for count, service in services)
        found.append(_bound("utilisation", machine.cores / seconds, "lender CPU is full"))
    for gateway, name in (("bank", "bank"), ("sms", "SMS"), ("payment", "payment")):
        limit = getattr(scenario.world, gateway).rate_limit
        calls = demand.calls.get(gateway, 0.0)
        if limit and calls:
            found.append(_bound("utilisation", limit / calls, f"{name} rate limit is reached"))
    return found


def _processor(scenario: Scenario, demand: Demand) -> list[Bound]:
    """Up to which rate each latency objective holds if only the line for the processor grows."""
    services = services_of(scenario, demand)
    if not services:
        return []
    requests = sum(n for n, _ in services)
    mean, spread = pooled(services)
    cores = scenario.world.lender.cores
    full = cores / mean / requests
    found: list[Bound] = []
    for name, factor in (("Erlang C", 1.0), ("Allen-Cunneen", (1 + spread) / 2)):
        line = _Line(requests, mean, cores, factor)
        rates = [
            (_highest(line, slack, tail, full), text)
            for text, slack, tail in _slacks(scenario, demand)
        ]
        if rates:
            rate, text = min(rates)
            found.append(_bound(name, rate, f"{text} holds, if only the line for the CPU grows"))
    return found


def _slacks(scenario: Scenario, demand: Demand) -> list[tuple[str, float, float]]:
    """Of each latency objective of a step: how much longer requests may take, and in which share
    they may take longer than that."""
    found = []
    for text in scenario.objectives:
        objective = parse_objective(text)
        at = demand.latency.get(objective.argument, {}).get(objective.metric)
        if objective.metric in _LEVELS and at is not None and objective.limit > at:
            found.append((text, objective.limit - at, 1 - _LEVELS[objective.metric]))
    return found


class _Line(msgspec.Struct, frozen=True):
    """The line for the processor: requests of an arrival, mean service in seconds, cores, and how
    much longer waits are than in M/M/c."""

    requests: float
    mean: float
    cores: int
    factor: float

    def late(self, rate: float, slack: float) -> float:
        """The share of requests that wait for longer than `slack` seconds at `rate` arrivals a
        second: the wait of those who wait is about exponential, exactly so in M/M/c."""
        load = rate * self.requests * self.mean
        conditional = self.factor * self.mean / (self.cores - load)
        return erlang_c(load, self.cores) * math.exp(-slack / conditional)


def _highest(line: _Line, slack: float, tail: float, full: float) -> float:
    """Up to which rate below `full` at most the share `tail` waits for longer than `slack`."""
    top = full * (1 - 1e-9)
    if line.late(top, slack) <= tail:
        return full
    return float(brentq(lambda rate: line.late(rate, slack) - tail, full * 1e-6, top))


def _service(scenario: Scenario, op: str) -> Delay:
    service: Mapping[str, Delay] = scenario.world.lender.service
    return service.get(op) or service["*"]


def _bound(model: str, rate: float, says: str) -> Bound:
    return Bound(model=model, rate=significant(rate), says=says)
