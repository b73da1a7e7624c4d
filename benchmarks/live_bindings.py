"""Complete live bindings a second on this machine's cores, against what was offered.

Servers, database and load generator share the machine. The offered rate goes up until the system
no longer keeps up: fewer than 95 % of the offered bindings, or a p95 of confirm above one second.
What the last rate that was carried cost says where the limit comes from.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import polars as pl

from benchmarks.live_costs import Costs
from benchmarks.result import report
from loadtests.live_run import run_live
from reports.recorder import scan_events
from scenarios.distributions import lognormal
from scenarios.loader import load_scenario, override

RATES = (10, 20, 40, 60, 80, 100, 120)
DURATION = 15.0
PACE = 0.04
CODE_DELAY = lognormal(0.1, 0.4)
"""Short waits, so that customers overlap as in a long run at the same rate."""


def carried(rate: int) -> tuple[float, float, dict[str, float | str]]:
    """ACTIVE bindings a second of `rate` offered, the p95 of confirm in seconds, and the costs."""
    scenario = override(load_scenario("baseline"), duration=f"{DURATION}s", rate=f"{rate}/s")
    journey = scenario.journey.model_copy(update={"pace": PACE})
    sms = scenario.world.sms
    carrier = sms.carrier.model_copy(update={"delay": CODE_DELAY})
    world = scenario.world.model_copy(update={"sms": sms.model_copy(update={"carrier": carrier})})
    scenario = scenario.model_copy(update={"journey": journey, "world": world, "drain": 20.0})
    costs = Costs()
    with tempfile.TemporaryDirectory() as folder:
        run_live(scenario, Path(folder), on_ready=costs.ready, on_progress=costs.look)
        events = scan_events(Path(folder)).collect()
    ends = events.filter((pl.col("kind") == "end") & (pl.col("state") == "ACTIVE"))
    confirms = events.filter((pl.col("kind") == "request") & (pl.col("step") == "confirm"))
    p95 = (confirms["ended"] - confirms["intended"]).quantile(0.95)
    # The offered time is what they were due in; whoever ends later than the run did not keep up.
    arrivals = events.filter(pl.col("kind") == "arrival")
    return len(ends) / len(arrivals) * rate, float(p95 or 0.0), costs.figures()


def main() -> int:
    """Print the highest rate that was carried, and the share of the next that was."""
    best, p95_at_best, offered, beyond = 0.0, 0.0, 0, False
    costs_at_best: dict[str, float | str] = {}
    for rate in RATES:
        offered = rate
        found, p95, costs = carried(rate)
        beyond = found < 0.95 * rate or p95 > 1.0
        if beyond:
            break
        best, p95_at_best, costs_at_best = found, p95, costs
    report(
        "live_bindings_per_second_against_offered",
        best / offered,
        bindings_per_second=round(best, 2),
        offered=offered,
        beyond_the_limit=beyond,
        confirm_p95_seconds=round(p95_at_best, 3),
        cores=os.cpu_count(),
        **costs_at_best,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
