"""What is wrong with a scenario although each of its fields is well-formed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from scenarios.arrival_kinds import RampArrivals, RecordedArrivals, SpikeArrivals
from scenarios.arrivals import expected_arrivals, first_arrival
from scenarios.faults.base import Target
from scenarios.faults.degraded_capacity import DegradedCapacity
from scenarios.objectives import METRICS, parse_objective
from scenarios.plain_text import quoted
from scenarios.population.cards import issuer_weights
from scenarios.population.validity import problems
from scenarios.schema import Scenario
from scenarios.units import DURATION, exact, format_duration
from scenarios.world import BankWorld, PaymentWorld, SmsWorld
from scenarios.yaml_values import Where

Finding = tuple[Where, str]
"""Where (keys and list positions from the top), and a message with the mend."""

MOST_NAMED = 20
"""Names that a message offers."""
MOST_CUSTOMERS = 10**8
"""Arrivals of a run on average: a day of a thousand a second."""

_TARGETS = get_args(Target)
_BEHIND_THE_LOG = ("corrupt-page", "truncate-file")
"""Damage to an SQLite file that can be done only while its log is empty."""


def check(scenario: Scenario) -> list[Finding]:
    """Every mistake that takes more than one field, or a file, to see."""
    return [
        *_population(scenario),
        *_arrivals(scenario),
        *_issuers(scenario),
        *_late_faults(scenario),
        *_twins(scenario),
        *_no_capacity(scenario),
        *_recoveries(scenario),
        *_same_variants(scenario),
        *_drill(scenario),
    ]


def _population(scenario: Scenario) -> Iterator[Finding]:
    for field, message in problems(scenario.population):
        yield ("population", *field.split(".", 1)), message


def nobody_arrives(scenario: Scenario) -> str:
    """What to say of a scenario whose first customer would come after its arrivals stop, if ever:
    there would be nobody to play."""
    within = format_duration(scenario.duration)
    if isinstance(scenario.arrivals, RecordedArrivals):
        why = f"the recording's first arrival is not before {within}"
        return f"nobody arrives: {why}; write a longer duration, or times since the run began"
    return (
        f"nobody arrives within {within} (seed {scenario.seed}); write a higher rate or a longer"
        " duration"
    )


def _issuers(scenario: Scenario) -> Iterator[Finding]:
    known = issuer_weights()
    named: list[tuple[Where, str]] = [
        (("world", "bank", "issuers", issuer), issuer) for issuer in scenario.world.bank.issuers
    ]
    for position, fault in enumerate(scenario.faults):
        if fault.issuer:
            named.append((("faults", position, "issuer"), fault.issuer))
    for where, issuer in named:
        if issuer not in known:
            yield where, f"{issuer!r} is not an issuer; write one of {', '.join(known)}"
    cards = scenario.population.banks or known
    for position, fault in enumerate(scenario.faults):
        if not fault.issuer or fault.issuer not in known:
            continue
        if any(part.target != "bank" for part in fault.parts()):
            message = "only the bank sees whose card it is; write target: bank, or leave issuer out"
            yield ("faults", position, "issuer"), message
        elif not cards.get(fault.issuer):
            message = f"nobody has a card of {fault.issuer}; give it a weight in population.banks"
            yield ("faults", position, "issuer"), message


def _arrivals(scenario: Scenario) -> Iterator[Finding]:
    arrivals = scenario.arrivals
    try:
        expected = expected_arrivals(arrivals, scenario.duration)
    except ValueError as error:
        yield ("arrivals", "file"), str(error)
        return
    if expected > MOST_CUSTOMERS:
        yield (
            ("arrivals",),
            f"{expected:.3g} customers would come, more than {MOST_CUSTOMERS:,}; write a lower rate"
            " or a shorter duration",
        )
    elif first_arrival(arrivals, scenario.seed, scenario.duration) is None:
        yield ("arrivals",), nobody_arrives(scenario)
    if isinstance(arrivals, SpikeArrivals) and arrivals.at >= scenario.duration:
        at, stop = _told_apart(arrivals.at, scenario.duration)
        yield (
            ("arrivals", "at"),
            f"the spike is at {at}, after arrivals stop at {stop}; write an earlier time",
        )
    if isinstance(arrivals, SpikeArrivals) and arrivals.duration == 0:
        yield ("arrivals", "duration"), f"a spike of 0 is none; write {DURATION.examples}"
    if isinstance(arrivals, RampArrivals) and (arrivals.over or 0) > scenario.duration:
        over, stop = _told_apart(arrivals.over or 0, scenario.duration)
        yield (
            ("arrivals", "over"),
            f"the ramp takes {over}, but arrivals stop at {stop}; write less, or leave it out",
        )


def _end(scenario: Scenario) -> float:
    """When the run ends at the latest, by the durations as they are written."""
    return float(exact(scenario.duration) + exact(scenario.drain))


def _told_apart(one: float, other: float) -> tuple[str, str]:
    """Two durations for people, in seconds where their short forms look the same."""
    first, second = format_duration(one), format_duration(other)
    if first == second and one != other:
        return f"{one:.12g}s", f"{other:.12g}s"
    return first, second


def _late_faults(scenario: Scenario) -> Iterator[Finding]:
    end = _end(scenario)
    for position, fault in enumerate(scenario.faults):
        if fault.start >= end:
            start, stop = _told_apart(fault.start, end)
            yield (
                ("faults", position, "start"),
                f"{quoted(fault.label)[1:-1]} starts at {start}, but the run ends at {stop}"
                " (duration and drain); write an earlier start",
            )


def _twins(scenario: Scenario) -> Iterator[Finding]:
    labels: set[str] = set()
    for position, record in enumerate(scenario.faults):
        for fault in record.parts():
            if fault.label in labels:
                message = f"another fault is called {fault.label} too; give one of them a name"
                yield ("faults", position), message
            labels.add(fault.label)


def _no_capacity(scenario: Scenario) -> Iterator[Finding]:
    for position, record in enumerate(scenario.faults):
        for fault in record.parts():
            if isinstance(fault, DegradedCapacity):
                world: BankWorld | SmsWorld | PaymentWorld = getattr(scenario.world, fault.target)
                if world.concurrency is None:
                    message = f"world.{fault.target} has no concurrency to lose; give it one"
                    yield ("faults", position, "target"), message


def _recoveries(scenario: Scenario) -> Iterator[Finding]:
    struck = {fault.target for fault in scenario.fault_timeline}
    labels = {fault.label for fault in scenario.fault_timeline}
    for position, text in enumerate(scenario.objectives):
        objective = parse_objective(text)
        if METRICS[objective.metric].takes != "fault" or objective.argument in struck | labels:
            continue
        if objective.argument in _TARGETS:
            message = f"no fault of this scenario strikes {objective.argument}"
        else:
            message = f"there is no fault {objective.argument!r}"
        known = ", ".join(sorted(struck | labels)[:MOST_NAMED])
        mend = f"write one of {known}" if known else "write a fault, or leave this objective out"
        yield ("objectives", position), f"{message}; {mend}"


def _same_variants(scenario: Scenario) -> Iterator[Finding]:
    names: set[str] = set()
    for position, variant in enumerate(scenario.variants):
        if variant.name in names:
            message = f"another variant is called {variant.name} too; give it another name"
            yield ("variants", position, "name"), message
        names.add(variant.name)


def _drill(scenario: Scenario) -> Iterator[Finding]:
    drill, kind = scenario.drill, scenario.topology.kind
    if drill is None:
        return
    end = _end(scenario)
    latest = 0.0
    for position, step in enumerate(drill.steps):
        where: Where = ("drill", "steps", position)
        if kind not in step.topologies:
            fitting = " or ".join(step.topologies)
            yield (*where, "do"), f"{step.do} needs topology {fitting}; this one is {kind}"
        elif kind == "sqlite-backup" and getattr(step, "target", "lender") not in (
            ("lender", "primary", "site") if step.do == "kill" else ("lender",)
        ):
            yield (*where, "target"), f"sqlite-backup has no {step.subject} to {step.do}"
        elif getattr(scenario.topology, "ship_every", None) and step.do in _BEHIND_THE_LOG:
            message = f"{step.do} needs a log that nobody ships; leave out topology.ship_every"
            yield (*where, "do"), message
        if step.at is None:
            continue
        if step.at < latest:
            before = format_duration(latest)
            message = f"is before the step above it, at {before}; steps are in order of time"
            yield (*where, "at"), f"{format_duration(step.at)} {message}"
        if step.at >= end:
            yield (
                (*where, "at"),
                f"{format_duration(step.at)} is after the run, which ends at"
                f" {format_duration(end)} (duration and drain); write an earlier time",
            )
        latest = max(latest, step.at)
    for position, fault in enumerate(scenario.faults):
        if any(part.where == "process" for part in fault.parts()):
            message = "a drill strikes processes in its steps; write {do: kill, target: lender}"
            yield ("faults", position, "kind"), message
    if scenario.variants:
        yield ("variants",), "a drill has no variants; write a drill for each"
