"""A scenario at another arrival rate, with objectives that mean the same there."""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.arrival_kinds import SpikeArrivals
from scenarios.arrivals import expected_arrivals, scaled
from scenarios.objectives import parse_objective
from scenarios.schema import Scenario


def own_rate(scenario: Scenario) -> float:
    """The rate a second that `--rate` would replace: the base of a spike, the mean of the rest."""
    if isinstance(scenario.arrivals, SpikeArrivals):
        return scenario.arrivals.rate
    return expected_arrivals(scenario.arrivals, scenario.duration) / scenario.duration


def at_rate(scenario: Scenario, rate: float, seed: int | None = None) -> Scenario:
    """The scenario with `rate` arrivals a second, and another seed if given.

    A floor of throughput stays the share of the arrivals that it is at the scenario's own rate:
    `throughput >= 4/s` of 6/s offered becomes `throughput >= 20/s` of 30/s. Raises ValueError when
    the scenario's own rate is 0.
    """
    factor = rate / own_rate(scenario) if own_rate(scenario) else 1.0
    changes = {
        "arrivals": scaled(scenario.arrivals, rate),
        "objectives": floors_scaled(scenario.objectives, factor),
        "seed": scenario.seed if seed is None else seed,
    }
    return scenario.model_copy(update=changes)


def floors_scaled(objectives: Sequence[str], factor: float) -> tuple[str, ...]:
    """The objectives with every floor of throughput `factor` times as high."""
    return tuple(_scaled(text, factor) for text in objectives)


def _scaled(text: str, factor: float) -> str:
    objective = parse_objective(text)
    if objective.metric != "throughput" or not objective.operator.startswith(">"):
        return text
    floor = f"{objective.limit * factor:.4f}".rstrip("0").rstrip(".")
    return f"throughput {objective.operator} {floor}/s"
