"""One scenario in virtual time, from the first arrival to the last ending."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Literal

import msgspec
from simpy import Environment, Event

from mocks.bank.directory import PopulationDirectory
from mocks.bank.model import BankGateway
from mocks.messages import DEFAULT_NAMESPACE, CallRecord
from mocks.payment.model import PaymentGateway
from mocks.sms.model import SmsGateway
from reports import events
from reports.money import Money, write_money
from reports.progress import Progress
from reports.recorder import Recorder
from scenarios.arrivals import arrival_times
from scenarios.population import Population
from scenarios.schema import Scenario
from sim.player import Player
from sim.progress import Tally
from sim.world import SimWorld

LOOKS = 400
"""Pauses in a run, to show progress, to flush, and to see whether everybody has ended."""


class SimResult(msgspec.Struct, frozen=True):
    """How a simulation went: `wall_seconds` on this machine for `virtual_seconds` of the world."""

    state: Literal["complete", "interrupted"]
    wall_seconds: float
    virtual_seconds: float
    customers: int
    active: int


def run_sim(
    scenario: Scenario, folder: Path, on_progress: Callable[[Progress], None] | None = None
) -> SimResult:
    """Play `scenario` and record its events below `folder` (the run's `sim/`).

    Ctrl-C ends the run early: what happened so far is recorded and readable.
    """
    return play(Environment(), scenario, folder, on_progress)


def play(
    env: Environment,
    scenario: Scenario,
    folder: Path,
    on_progress: Callable[[Progress], None] | None = None,
    on_world: Callable[[SimWorld], None] | None = None,
) -> SimResult:
    """`run_sim` on an environment of the caller's; `on_world` sees the world before it begins."""
    began = time.perf_counter()
    tally = Tally()
    until = scenario.duration + scenario.drain
    state: Literal["complete", "interrupted"] = "complete"
    recorder = Recorder(folder)
    try:
        world = build_world(env, scenario, recorder.add)
        if on_world is not None:
            on_world(world)
        player = Player(world, scenario, recorder.add, tally)
        env.process(_arrivals(env, scenario, player))
        for look in range(1, LOOKS + 1):
            env.run(until=until * look / LOOKS)
            if on_progress is not None:
                on_progress(tally.look(env.now, until, _faults_in_force(scenario, env.now)))
            if env.now > scenario.duration and not tally.under_way:
                break
        write_money(_money(world), folder)
    except KeyboardInterrupt:
        state = "interrupted"
    finally:
        recorder.close()
    return SimResult(
        state, time.perf_counter() - began, float(env.now), tally.customers, tally.active
    )


def build_world(
    env: Environment, scenario: Scenario, record: Callable[[events.Row], None]
) -> SimWorld:
    """The scenario's gateways and lender on `env`; gateway calls go to `record`."""

    def on_call(seen: CallRecord) -> None:
        record(
            events.call(
                seen.gateway, seen.op, seen.issuer, seen.at, seen.delay, seen.status, seen.code
            )
        )

    population = Population(scenario.population, scenario.seed)
    world, seed = scenario.world, scenario.seed
    return SimWorld(
        env,
        scenario,
        [
            BankGateway(world.bank, seed, on_call, directory=PopulationDirectory(population)),
            SmsGateway(world.sms, seed, on_call),
            PaymentGateway(world.payment, seed, on_call),
        ],
    )


def _money(world: SimWorld) -> Money:
    payment = world.gateways["payment"]
    assert isinstance(payment, PaymentGateway)  # noqa: S101  # narrows the type, cannot fail
    ledger = payment.space(DEFAULT_NAMESPACE).state.ledger
    return Money(charged_fen=ledger.charged, refunded_fen=ledger.refunded)


def _arrivals(env: Environment, scenario: Scenario, player: Player) -> Generator[Event, None, None]:
    population = Population(scenario.population, scenario.seed)
    times = arrival_times(scenario.arrivals, scenario.seed, scenario.duration)
    for number, planned in enumerate(times):
        yield env.timeout(max(0.0, planned - env.now))
        env.process(player.play(population.customer(number), planned))


def _faults_in_force(scenario: Scenario, now: float) -> tuple[str, ...]:
    return tuple(fault.label for fault in scenario.fault_timeline if fault.in_force(now))
