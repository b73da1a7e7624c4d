"""How many files one process of a live run will have open at once, estimated beforehand."""

from __future__ import annotations

from collections import deque

from scenarios.arrivals import arrival_times
from scenarios.ceilings.soft_limits import hard_file_limit
from scenarios.schema import Scenario

ALWAYS = 64
"""Open whatever the load: libraries, logs, database, events."""


def files_needed(scenario: Scenario) -> int:
    """The most that the load generator, or the gateways, will have open: a customer holds one
    connection while the lender works for them, or while they wait at the handset. More load
    generators share them out, but there is one process of gateways.

    An estimate, by means and without repeats: as many customers at once as come within the time
    that one of them holds a connection.
    """
    held = _seconds_held(scenario)
    holding: deque[float] = deque()
    most = 0
    for at in arrival_times(scenario.arrivals, scenario.seed, scenario.duration):
        holding.append(at)
        while holding[0] < at - held:
            holding.popleft()
        most = max(most, len(holding))
    return ALWAYS + most


def too_few_files(scenario: Scenario) -> str:
    """A warning in one line when the hard limit is below what `scenario` needs, or empty."""
    limit = hard_file_limit()
    if limit is None or (needed := files_needed(scenario)) <= limit:
        return ""
    return (
        f"Warning: one process will have some {needed:,} files open at once, and may have"
        f" {limit:,}: the testbed will be the limit. Raise the hard limit of open files"
        " (ulimit -Hn, LimitNOFILE=, docker --ulimit nofile=), or lower the rate"
    )


def _seconds_held(scenario: Scenario) -> float:
    world = scenario.world
    carrier = world.sms.carrier
    patience = scenario.journey.otp_wait * scenario.journey.pace
    lost = patience * carrier.loss
    wait = min(patience, carrier.delay.mean) * (1 - carrier.loss) + lost
    calls = (world.sms.latency, world.bank.latency, world.payment.latency)
    return wait + sum(delay.mean for latency in calls for delay in latency.values())
