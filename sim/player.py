"""Plays a customer's journey in virtual time and records what happens."""

from __future__ import annotations

from collections.abc import Callable, Generator
from random import Random
from typing import Any

from simpy import Event

from mocks.fault_timeline import FaultTimeline
from mocks.lender.service import LenderRequest
from mocks.world import FAILURES
from reports import events
from scenarios.customer import Customer
from scenarios.directives import BEWILDERED, Answer, Now, ReadOtp, Request, Think
from scenarios.journey import journey
from scenarios.keyed import Keyed
from scenarios.schema import Scenario
from sim.clock import Deadlines, arrive_later, start
from sim.progress import Tally
from sim.world import SimWorld

_LATE = Answer(0, {}, "TIMEOUT")


class Player:
    """Customers in front of one SimWorld; `record` takes event rows."""

    def __init__(
        self,
        world: SimWorld,
        scenario: Scenario,
        record: Callable[[events.Row], None],
        tally: Tally,
    ) -> None:
        self._world = world
        self._env = world.env
        self._scenario = scenario
        self._record = record
        self._tally = tally
        self._keyed = Keyed(scenario.seed)
        self._stream = Random(f"network {scenario.seed}")
        self._network = scenario.world.network
        self._way = FaultTimeline(self._keyed)
        for fault in scenario.fault_timeline:
            if fault.host == "customer":
                self._way.put(fault)
        self._deadlines = Deadlines(world.env, scenario.journey.request_timeout, _LATE)

    def play(self, customer: Customer, planned: float) -> Generator[Event, Any, None]:
        """One journey, as a SimPy process that starts at `planned` seconds."""
        env, number = self._env, customer.number
        self._record(events.arrival(number, planned, env.now))
        self._tally.arrived()
        steps = journey(customer, self._scenario, self._keyed)
        reply: Any = None
        waits = sent = 0
        while True:
            try:
                directive = steps.send(reply)
            except StopIteration as stop:
                ending = stop.value
                break
            except Exception:
                # An answer that does not speak the contract, such as a malformed one.
                ending = BEWILDERED
                break
            reply = None
            if type(directive) is Think:
                yield env.timeout(directive.seconds)
            elif type(directive) is Now:
                reply = env.now
            elif type(directive) is Request:
                began = env.now
                reply = yield self._send(directive, number, sent)
                sent += 1
                self._record(
                    events.request(
                        number,
                        directive.op,
                        directive.attempt,
                        began,
                        began,
                        env.now,
                        reply.status,
                        reply.code,
                    )
                )
                self._tally.answered(env.now - began)
            elif type(directive) is ReadOtp:
                began = env.now
                reply = yield from self._world.read(
                    directive.phone, directive.seen, directive.patience
                )
                if directive.patience > 0:
                    waits += 1
                    code = "TIMEOUT" if reply is None else "READ"
                    self._record(events.otp(number, waits, began, env.now, code))
        self._record(events.end(number, planned, env.now, ending.state, ending.cause))
        self._tally.ended(ending.state)

    def _send(self, request: Request, number: int, sent: int) -> Event:
        """An event that succeeds with the Answer, at the customer's timeout at the latest."""
        done = self._env.event()
        self._deadlines.watch(done)
        start(self._exchange(request, number, sent, done))
        return done

    async def _exchange(self, request: Request, number: int, sent: int, done: Event) -> None:
        way = self._network.at(self._stream.random()) / 2
        cut = self._way.strike_customer(request.op, number, sent, self._env.now)
        if cut is not None and not cut.processed:
            if cut.transport != "hang":
                await self._world.sleep(way)
                done.succeed(Answer(0, {}, FAILURES[cut.transport]))
            return
        await self._world.sleep(way)
        answer = await self._world.serve(
            LenderRequest(request.op, request.body, request.path, request.idempotency_key),
            str(number),
            sent,
        )
        if not done.triggered and cut is None:
            arrive_later(done, answer, way)
