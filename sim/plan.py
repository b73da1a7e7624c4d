"""What a plan needs to know from the simulator: a customer's needs, a node's limit, and whether
what was planned holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor

import msgspec
from simpy import Environment

from reports.capacity.bounds import Bound, Demand, bounds_of
from reports.capacity.measured import measured
from reports.capacity.result import Limit, Measured
from reports.capacity.scaling import own_rate
from reports.capacity.search import Bounds, Search
from reports.capacity.usage import Counters
from reports.claims import scratch
from reports.intervals import interval
from reports.numbers import significant
from reports.plan.result import (
    GATEWAYS,
    Confirmation,
    CustomerNeeds,
    MonthPlan,
    Range,
    Reserve,
)
from reports.summary import summarise
from reports.summary_schema import Summary
from reports.verdict import shown_value
from scenarios.arrival_kinds import PoissonArrivals
from scenarios.objectives import METRICS, parse_objective
from scenarios.population.images import LARGEST, SMALLEST
from scenarios.schema import Scenario
from scenarios.topology import Single
from sim.capacity import Task, simulate, simulated_limit
from sim.executor import in_order
from sim.replications import replication_seed
from sim.run import play
from sim.storage import stored_bytes
from sim.world import SimWorld

WINDOW = 30.0
"""Seconds of arrivals in a simulation for a plan, if the scenario's own are more."""
PRECISION = 0.08
LEAD = 2
MOST_CUSTOMERS = 2500.0
SHORTEST = 15.0
"""A simulation of many nodes has fewer seconds of arrivals, down to these, so that no more come."""
_LOWEST, _START, _HIGHEST = 0.2, 0.9, 1.1
"""Where a node's limit is searched, over the rate that fills its processor: beyond it a short
simulation may still hold, while the line grows, but no steady state does."""

_BILLED = {"bank": ("open",), "sms": ("send", "send_backup"), "payment": ("charge",)}
"""Calls that partners ask money for; queries and refunds are free."""
_MEAN_PICTURE = (SMALLEST + LARGEST) / 2


class Needs(CustomerNeeds, frozen=True, kw_only=True):
    """A customer's needs, and in `demand` what closed forms take."""

    demand: Demand


class _Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One simulation's counts for each customer who arrived, and its measure."""

    calls: dict[str, float]
    billed: dict[str, float]
    held: dict[str, float]
    transactions: float
    bindings: float
    documents: float
    measure: Measured


def for_a_plan(scenario: Scenario, window: float | None = None) -> tuple[Scenario, tuple[str, ...]]:
    """The scenario with steady arrivals of its own mean rate, without faults, and with partners
    that refuse nothing, as quotas are what a plan sizes; and the objectives that it leaves out,
    which are about faults.

    `window`: seconds of arrivals; the scenario's own up to WINDOW if not given.
    """
    about_faults = tuple(
        text
        for text in scenario.objectives
        if METRICS[parse_objective(text).metric].takes == "fault"
        or parse_objective(text).metric in ("lost_bindings", "amplification", "replayed")
    )
    kept = tuple(text for text in scenario.objectives if text not in about_faults)
    world = scenario.world.model_copy(
        update={
            gateway: getattr(scenario.world, gateway).model_copy(
                update={"rate_limit": None, "concurrency": None}
            )
            for gateway in GATEWAYS
        }
    )
    plain = scenario.model_copy(
        update={
            "arrivals": PoissonArrivals(kind="poisson", rate=own_rate(scenario)),
            "duration": window or min(scenario.duration, WINDOW),
            "faults": (),
            "variants": (),
            "topology": Single(),
            "drill": None,
            "objectives": kept,
            "world": world,
        }
    )
    return plain, about_faults


def needs_of_a_customer(
    scenario: Scenario, *, replications: int, executor: Executor, ahead: int
) -> Needs:
    """Simulate `scenario` (of `for_a_plan`) at its own rate, and count. Raises ValueError when
    nobody arrives."""
    tasks = [
        scenario.model_copy(update={"seed": replication_seed(scenario.seed, number)})
        for number in range(replications)
    ]
    samples = [sample for _, sample in in_order(executor, _sample, tasks, ahead)]
    light = samples[0].measure
    return Needs(
        replications=replications,
        calls=_ranges([each.calls for each in samples]),
        billed=_ranges([each.billed for each in samples]),
        held={name: each.value for name, each in _ranges([s.held for s in samples]).items()},
        transactions=_range([each.transactions for each in samples]),
        bindings=_range([each.bindings for each in samples]),
        stored=stored_bytes(scenario),
        document_bytes=_range([each.documents for each in samples]).value * _MEAN_PICTURE,
        demand=Demand(
            requests=light.requests_per_arrival,
            calls=light.calls_per_arrival,
            latency=light.steps,
        ),
    )


def limit_of_a_node(
    scenario: Scenario,
    demand: Demand,
    *,
    executor: Executor,
    ahead: int,
    on_measured: Callable[[Measured, Search], None] | None = None,
) -> tuple[Limit, tuple[Bound, ...]]:
    """What one node carries in simulation, and what closed forms give; arrivals a second."""
    bounds = bounds_of(scenario, demand)
    full = max(bound.rate for bound in bounds if bound.model == "utilisation")
    limit = simulated_limit(
        scenario,
        executor=executor,
        ahead=ahead,
        bounds=Bounds(start=full * _START, lowest=full * _LOWEST, highest=full * _HIGHEST),
        precision=PRECISION,
        lead=LEAD,
        most=3 * LEAD,
        on_measured=on_measured,
    )
    return limit, bounds


def confirmations(
    scenario: Scenario,
    months: Sequence[MonthPlan],
    reserve: Reserve,
    *,
    executor: Executor,
    ahead: int,
    on_done: Callable[[int], None] | None = None,
) -> tuple[Confirmation, ...]:
    """Simulate what is bought for each of `months` at its peak with headroom: with one lender node
    fewer, and with the bank at its degraded share."""
    tried = [
        _Tried(
            month=month, fault=fault, nodes=nodes, scenario=_bought(scenario, month, nodes, bank)
        )
        for month in months
        for fault, nodes, bank in (
            ("node", int(month.bought["nodes"]) - 1, 1.0),
            ("bank", int(month.bought["nodes"]), reserve.degraded),
        )
    ]
    tasks = [
        _shortened(each.scenario, each.month.peak.value * (1 + reserve.headroom)) for each in tried
    ]
    found = []
    for each, (_, measure) in zip(tried, in_order(executor, simulate, tasks, ahead), strict=True):
        found.append(
            Confirmation(
                month=each.month.month,
                fault=each.fault,  # type: ignore[arg-type]
                nodes=each.nodes,
                rate=significant(measure.rate),
                held=measure.held,
                missed=tuple(f"{one.text}: {shown_value(one)}" for one in measure.missed),
                success_rate=measure.success_rate,
                confirm_p95=measure.steps.get("confirm", {}).get("p95"),
            )
        )
        if on_done is not None:
            on_done(len(found))
    return tuple(found)


def _shortened(scenario: Scenario, rate: float) -> Task:
    window = min(scenario.duration, max(SHORTEST, MOST_CUSTOMERS / rate if rate else WINDOW))
    return Task(scenario=scenario.model_copy(update={"duration": window}), rate=rate, number=0)


class _Tried(msgspec.Struct, frozen=True, kw_only=True):
    month: MonthPlan
    fault: str
    nodes: int
    scenario: Scenario


def of_nodes(scenario: Scenario, nodes: int) -> Scenario:
    """The lender as `nodes` nodes behind one balancer: as many times the cores, workers and
    connections. One line for all of them waits a little less than a line each would."""
    machine = scenario.world.lender
    lender = machine.model_copy(
        update={
            "cores": machine.cores * nodes,
            "workers": machine.workers * nodes,
            "connections": {name: n * nodes for name, n in machine.connections.items()},
        }
    )
    world = scenario.world.model_copy(update={"lender": lender})
    return scenario.model_copy(update={"world": world})


def _bought(scenario: Scenario, month: MonthPlan, nodes: int, bank: float) -> Scenario:
    bought = month.bought
    whole = of_nodes(scenario, nodes)
    share = nodes / bought["nodes"]
    connections = {
        gateway: max(1, round(bought[f"connections_{gateway}"] * share))  # type: ignore[index]
        for gateway in GATEWAYS
    }
    lender = whole.world.lender.model_copy(update={"connections": connections})
    limits = {"bank": bank, "sms": 1.0, "payment": 1.0}
    update = {
        gateway: getattr(whole.world, gateway).model_copy(
            update={"rate_limit": bought[f"{gateway}_rate"] * limits[gateway]}  # type: ignore[index]
        )
        for gateway in GATEWAYS
    }
    world = whole.world.model_copy(update={"lender": lender, **update})
    return whole.model_copy(update={"world": world})


def _sample(scenario: Scenario) -> _Sample:
    with scratch() as base:
        folder = base / "sim"
        folder.mkdir()
        worlds: list[SimWorld] = []
        play(Environment(), scenario, folder, on_world=worlds.append)
        summary = summarise(folder, scenario)
        arrived = summary.customers.issued
        if not arrived:
            raise ValueError(f"{scenario.name}: nobody arrives in {scenario.duration:g} s")
        overhead = scenario.world.lender.call_overhead.mean
        rate = own_rate(scenario)
        measure = measured("sim", scenario, folder, summary, Counters(), rate=rate, number=0)
        return _Sample(
            calls={name: _calls(summary, name) / arrived for name in GATEWAYS},
            billed={name: _calls(summary, name, ops) / arrived for name, ops in _BILLED.items()},
            held={name: _held(summary, name) + overhead for name in GATEWAYS},
            transactions=worlds[0].commits.transactions / arrived,
            bindings=summary.states.get("ACTIVE", 0) / arrived,
            documents=measure.requests_per_arrival.get("documents", 0.0),
            measure=measure,
        )


def _calls(summary: Summary, gateway: str, ops: Sequence[str] | None = None) -> int:
    return sum(
        op.calls
        for op in summary.gateways
        if op.gateway == gateway and (ops is None or op.op in ops)
    )


def _held(summary: Summary, gateway: str) -> float:
    known = [op for op in summary.gateways if op.gateway == gateway and op.latency is not None]
    calls = sum(op.latency.count for op in known if op.latency)
    seconds = sum(op.latency.mean * op.latency.count for op in known if op.latency)
    return seconds / calls if calls else 0.0


def _ranges(found: Sequence[Mapping[str, float]]) -> dict[str, Range]:
    return {name: _range([each[name] for each in found]) for name in found[0]}


def _range(values: Sequence[float]) -> Range:
    known = interval(list(values))
    if known is None or known.half_width is None:
        mean = significant(sum(values) / len(values))
        return Range(low=mean, value=mean, high=mean)
    return Range(
        low=significant(max(0.0, known.mean - known.half_width)),
        value=known.mean,
        high=significant(known.mean + known.half_width),
    )
