"""What one lender node carries by each model, and which of them sizes the plan. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from msgspec.structs import replace

from reports.capacity.bounds import Bound, Demand, pooled, services_of
from reports.capacity.result import Capacity, Limit
from reports.numbers import significant
from reports.plan.result import MonthPlan, NodeModel, Range, Reserve, Wait
from reports.queueing import allen_cunneen_wait
from scenarios.schema import Scenario

FAR = 0.15
"""Models further apart than this, as a share of the lower, are said to disagree."""


class NoLimit(Exception):
    """The scenario's objectives hold at no rate that one node could carry: the message says it."""


def models_of(
    limit: Limit, bounds: Sequence[Bound], capacity: Capacity | None
) -> tuple[tuple[NodeModel, ...], tuple[str, ...]]:
    """Every model's limit of one node, the one that the plan is sized by marked, and the warnings
    of the scalability law.

    Sized by: the lowest of the simulator's limit and the closed forms, as a short simulation may
    hold while a line grows, and closed forms know of the processor alone. Measured limits of
    `capacity` stand beside them: they are of the machine that was measured. Raises NoLimit.
    """
    found = [*_simulated(limit), *_closed(bounds)]
    lowest = min(found, key=lambda model: model.value)
    models = [replace(model, used=model is lowest) for model in found]
    warnings: tuple[str, ...] = ()
    live = capacity.limit("live") if capacity is not None else None
    if live is not None:
        models += _measured(live)
        warnings = live.usl.warnings if live.usl is not None else ()
    return tuple(models), warnings


def node_range(models: Sequence[NodeModel]) -> Range:
    """What one node carries: the sizing model's value; the ends span all models that know of no
    machine but the scenario's, so that their disagreement is part of the interval."""
    used = next(model for model in models if model.used)
    own = [model for model in models if model.model not in ("live", "usl")]
    return Range(
        low=min(model.value if model.low is None else model.low for model in own),
        value=used.value,
        high=max(model.value if model.high is None else model.high for model in own),
    )


def apart(models: Sequence[NodeModel]) -> float:
    """How far the highest trusted model is above the lowest, as a share of the lowest."""
    values = [model.value for model in models if model.trusted and model.value > 0]
    return max(values) / min(values) - 1 if values else 0.0


def waits_of(
    months: Sequence[MonthPlan], reserve: Reserve, scenario: Scenario, demand: Demand
) -> tuple[Wait, ...]:
    """Mean waits for a processor at the peak with headroom and a node fewer, of the months with the
    highest and the lowest peak."""
    machine = scenario.world.lender
    services = services_of(scenario, demand)
    if not services:
        return ()
    requests = sum(count for count, _ in services)
    mean, spread = pooled(services)
    by_peak = sorted(months, key=lambda month: month.peak.value)
    found = []
    for month in dict.fromkeys((by_peak[-1].month, by_peak[0].month)):
        plan = next(each for each in months if each.month == month)
        nodes = max(1, int(plan.bought["nodes"]) - (1 if reserve.fault else 0))
        rate = plan.peak.value * (1 + reserve.headroom)

        def wait(arrivals: float, cores: int) -> float | None:
            if arrivals * mean >= cores:
                return None
            return significant(allen_cunneen_wait(arrivals, mean, spread, cores))

        found.append(
            Wait(
                month=month,
                nodes=nodes,
                rate=significant(rate),
                one_line=wait(rate * requests, machine.cores * nodes),
                line_each=wait(rate * requests / nodes, machine.cores),
            )
        )
    return tuple(found)


def _simulated(limit: Limit) -> list[NodeModel]:
    if limit.low is None:
        raise NoLimit(
            f"one lender node holds the objectives at no rate down to {limit.lowest:.3g}/s;"
            " a plan needs objectives that a healthy lender meets (bindrill capacity shows which"
            " fail)"
        )
    high = limit.high if limit.state == "found" else None
    return [NodeModel(model="simulator", low=limit.low, value=limit.low, high=high)]


def _closed(bounds: Sequence[Bound]) -> list[NodeModel]:
    # Without quotas the only resource that closed forms know of is the processor.
    return [
        NodeModel(model=bound.model, low=None, value=significant(bound.rate), high=None)  # type: ignore[arg-type]
        for bound in bounds
    ]


def _measured(live: Limit) -> list[NodeModel]:
    found = []
    if live.low is not None:
        found.append(NodeModel(model="live", low=live.low, value=live.low, high=live.high))
    if live.usl is not None and live.measures and math.isfinite(live.usl.ceiling.value):
        share = fmean(each.throughput / each.rate for each in live.at(live.rates[0]))
        ceiling = live.usl.ceiling
        found.append(
            NodeModel(
                model="usl",
                low=significant(ceiling.low / share),
                value=significant(ceiling.value / share),
                high=significant(ceiling.high / share) if math.isfinite(ceiling.high) else None,
                trusted=not live.usl.warnings,
            )
        )
    return found
