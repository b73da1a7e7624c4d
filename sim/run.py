"""One scenario in virtual time, from the first arrival to the last ending."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec
from simpy import Environment

from mocks.bank.directory import PopulationDirectory
from mocks.bank.model import BankGateway
from mocks.gateway import Gateway
from mocks.messages import DEFAULT_NAMESPACE, CallRecord
from mocks.payment.model import PaymentGateway
from mocks.sms.model import SmsGateway
from reports import events
from reports.money import Money, write_money
from reports.progress import Progress
from reports.recorder import Recorder
from reports.strikes import write_strikes
from scenarios.arrivals import arrival_times
from scenarios.population import Population
from scenarios.schema import Scenario
from sim import retention
from sim.clock import call_at, run_until
from sim.player import Player
from sim.progress import Tally
from sim.world import SimWorld

LOOKS = 400
"""Pauses in a run, to show progress, to flush, and to see whether everybody has ended."""


PART_ROWS = 25_000
"""Events of a part: enough to be packed well, and some ten megabytes while they gather."""


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
    result = play(Environment(), scenario, folder, on_progress)
    gc.collect()  # a world is full of cycles, and whoever summarises its events needs the room
    return result


def play(
    env: Environment,
    scenario: Scenario,
    folder: Path,
    on_progress: Callable[[Progress], None] | None = None,
    on_world: Callable[[SimWorld], None] | None = None,
) -> SimResult:
    """`run_sim` on an environment of the caller's; `on_world` sees the world before it begins.

    Raises LittlesLawBroken when the simulator lost count, of which it looks at every pause.
    """
    began = time.perf_counter()
    tally = Tally()
    until = scenario.duration + scenario.drain
    state: Literal["complete", "interrupted"] = "complete"
    recorder = Recorder(folder, part_rows=PART_ROWS)
    population = Population(scenario.population, scenario.seed)
    try:
        world = build_world(env, scenario, recorder.add, population)
        if on_world is not None:
            on_world(world)
        player = Player(world, scenario, recorder.add, tally)
        _Arrivals(env, scenario, population, player)
        with _rare_collections():
            for look in range(1, LOOKS + 1):
                run_until(env, until * look / LOOKS)
                player.inside.check(env.now)
                world.inside.check(env.now)
                if on_progress is not None:
                    on_progress(tally.look(env.now, until, _faults_in_force(scenario, env.now)))
                if env.now > scenario.duration and not tally.under_way:
                    break
        write_money(_money(world), folder)
        struck = player.struck()
        if scenario.fault_timeline:
            write_strikes({f.label: struck[f.label] for f in scenario.fault_timeline}, folder)
    except KeyboardInterrupt:
        state = "interrupted"
    finally:
        recorder.close()
    return SimResult(
        state, time.perf_counter() - began, float(env.now), tally.customers, tally.active
    )


def build_world(
    env: Environment,
    scenario: Scenario,
    record: Callable[[events.Row], None],
    population: Population,
) -> SimWorld:
    """The scenario's gateways and lender on `env`; gateway calls go to `record`, and the bank knows
    the cards of `population`."""

    def on_call(seen: CallRecord) -> None:
        record(
            events.call(
                seen.gateway, seen.op, seen.issuer, seen.at, seen.delay, seen.status, seen.code
            )
        )

    world, seed = scenario.world, scenario.seed
    gateways: list[Gateway[Any]] = [
        BankGateway(world.bank, seed, on_call, directory=PopulationDirectory(population)),
        SmsGateway(world.sms, seed, on_call),
        PaymentGateway(world.payment, seed, on_call),
    ]
    for gateway in gateways:
        gateway.keep = retention.of_gateways(scenario)
    return SimWorld(env, scenario, gateways)


def _money(world: SimWorld) -> Money:
    payment = world.gateways["payment"]
    assert isinstance(payment, PaymentGateway)  # noqa: S101  # narrows the type, cannot fail
    ledger = payment.space(DEFAULT_NAMESPACE).state.ledger
    return Money(charged_fen=ledger.charged, refunded_fen=ledger.refunded)


class _Arrivals:
    """Customers arrive when they are due."""

    def __init__(
        self, env: Environment, scenario: Scenario, population: Population, player: Player
    ) -> None:
        self._env = env
        self._population = population
        self._player = player
        times = arrival_times(scenario.arrivals, scenario.seed, scenario.duration)
        self._times = enumerate(times)
        self._number, self._planned = 0, 0.0
        self._next()

    def _next(self) -> None:
        following = next(self._times, None)
        if following is not None:
            self._number, self._planned = following
            call_at(self._env, self._planned, self._due)

    def _due(self, _: object) -> None:
        self._player.arrive(self._population.customer(self._number), self._planned)
        self._next()


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for cyclic garbage seldom: there is little of it in a simulation, and a look takes time
    with so many objects that live. What lives before is not looked at."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _faults_in_force(scenario: Scenario, now: float) -> tuple[str, ...]:
    return tuple(fault.label for fault in scenario.fault_timeline if fault.in_force(now))
