"""How long a simulated world remembers, so that a day of customers fits into memory.

Live, gateways remember for an hour and the lender for ever. Nobody comes back to most of it: what
follows is how long somebody may, and how many of a kind stay in any case, so that runs of some ten
thousand customers forget nothing that a live one would remember.
"""

from __future__ import annotations

import math

from mocks.lender.memory_store import Retention
from mocks.recent import Keep
from scenarios.schema import Scenario

FEW = 10_000
ORDERS = 400.0
"""Seconds for orders at gateways and finished calls at the lender. The outbox asks about an order
of unknown outcome once a minute at least, and a carrier tries for 300 s."""
BINDINGS = 600.0
"""Seconds for finished bindings: only a customer who did not hear of the end comes back to one."""
HANDSETS = 900.0
"""Seconds for what is on handsets, which a customer who comes back has read before."""
APPLICANTS = 900.0
"""Seconds from registration to the last submission of a visit, at most."""


def of_gateways(scenario: Scenario) -> Keep:
    """What gateways remember."""
    longest = _longest_fault(scenario)
    return Keep(orders=ORDERS + longest, handsets=HANDSETS + longest, few=FEW, file_hours=0)


def of_lender(scenario: Scenario) -> Retention:
    """What the lender remembers."""
    longest = _longest_fault(scenario)
    return Retention(
        bindings=BINDINGS + longest,
        calls=ORDERS + longest,
        replies=ORDERS + longest,
        applicants=APPLICANTS + longest,
        few=FEW,
    )


def _longest_fault(scenario: Scenario) -> float:
    """Seconds for which a fault may keep everybody from asking; one without end lasts the run."""
    run = scenario.duration + scenario.drain
    ends = (min(fault.end, run) - fault.start for fault in scenario.fault_timeline)
    longest = max(ends, default=0.0)
    return longest if math.isfinite(longest) else run
