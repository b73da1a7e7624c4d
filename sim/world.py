"""The lender's World in virtual time: the same models and the same lender, driven by SimPy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager
from functools import partial
from itertools import count
from random import Random
from typing import Any, TypeVar

from simpy import Environment, Event

from mocks.capacity import ServerPool
from mocks.fault_timeline import FaultTimeline
from mocks.gateway import Gateway
from mocks.lender.memory_store import MemoryStore
from mocks.lender.service import Lender, LenderRequest
from mocks.lender.store import Tx
from mocks.lender.vault import MemoryVault
from mocks.messages import Arrived, Call, FollowUp, Notification, Timer
from mocks.sms.model import SmsGateway
from mocks.world import Attempt, CallFailed, GatewayAnswer
from scenarios.directives import Answer, Message, answered
from scenarios.faults.base import Transport
from scenarios.keyed import Keyed
from scenarios.schema import Scenario
from sim.clock import start, wait
from sim.commits import GroupCommit
from sim.limits import Limit

T = TypeVar("T")

RETENTION = 3600.0
"""Seconds for which finished work is kept: longer than anybody comes back for it, and short enough
that a day of virtual time fits into memory."""

FAILURES = {"refuse": "UNREACHABLE", "reset": "RESET", "hang": "TIMEOUT"}
"""What a caller makes of a broken connection, by transport."""


class SimWorld:
    """Gateways and lender around one SimPy environment; also `mocks.world.World` to the lender.

    Draws that have no customer to be keyed by (commit and service times) come from one stream,
    which SimPy's strict event order makes reproducible.
    """

    node = "sim"

    def __init__(self, env: Environment, scenario: Scenario, gateways: list[Gateway[Any]]) -> None:
        self.env = env
        self.gateways = {gateway.name: gateway for gateway in gateways}
        sms = self.gateways["sms"]
        assert isinstance(sms, SmsGateway)  # noqa: S101  # narrows the type, cannot fail
        self._sms = sms
        self._machine = scenario.world.lender
        self._keyed = Keyed(scenario.seed)
        self._stream = Random(scenario.seed)
        self._identifiers = count()
        self._store = MemoryStore(RETENTION)
        self._commits = GroupCommit()
        self._cores = ServerPool(self._machine.cores)
        self._workers = Limit(env, self._machine.workers)
        self._connections = {
            name: Limit(env, places) for name, places in self._machine.connections.items()
        }
        self._handsets: dict[str, list[Event]] = {}
        self.lender_faults = FaultTimeline(self._keyed)
        for fault in scenario.fault_timeline:
            if fault.target == "lender":
                self.lender_faults.put(fault)
            else:
                self.gateways[fault.target].put_fault("default", fault)
        self.lender = Lender(scenario.lender, self, MemoryVault())
        self._front = self.lender.front(self._machine.workers)
        start(self.lender.run_outbox())

    # ── World, as the lender sees it ────────────────────────────────────────────────────────────

    def now(self) -> float:
        return float(self.env.now)

    def sleep(self, seconds: float) -> Awaitable[None]:
        return wait(self.env.timeout(seconds))

    async def call(
        self, gateway: str, op: str, payload: dict[str, Any], timeout: float
    ) -> GatewayAnswer:
        model = self.gateways[gateway]
        reply, follow_ups = model.handle(Call(op, payload), self.env.now)
        self._carry_out(model, follow_ups)
        delay = reply.delay + self._machine.call_overhead.at(self._stream.random())
        if delay > timeout:
            await self.sleep(timeout)
            raise CallFailed(gateway, op, "TIMEOUT")
        await self.sleep(delay)
        if reply.transport != "ok":
            raise CallFailed(gateway, op, FAILURES[reply.transport])
        return GatewayAnswer(reply.status, reply.body)

    async def transact(self, work: Callable[[Tx], T]) -> T:
        result = self._store.transact(work)
        commit = self._machine.commit.at(self._stream.random())
        await self.sleep(self._commits.delay(self.env.now, commit))
        return result

    def limit(self, name: str) -> AbstractAsyncContextManager[None]:
        return self._connections[name]

    def identifier(self, prefix: str) -> str:
        return f"{prefix}_{next(self._identifiers)}"

    def digits(self, number: int) -> str:
        return str(self._stream.randrange(10**number)).zfill(number)

    def uniform(self, *key: str | int) -> float:
        return self._keyed.uniform("lender", *key)

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        start(work)

    async def race(
        self, one: Attempt[GatewayAnswer], other: Attempt[GatewayAnswer], delay: float
    ) -> GatewayAnswer:
        answer = self.env.event()
        running = 0

        async def run(attempt: Attempt[GatewayAnswer]) -> None:
            nonlocal running
            running += 1
            try:
                result = await attempt()
            except CallFailed as failed:
                running -= 1
                if not running and not answer.triggered:
                    answer.fail(failed)
            else:
                if not answer.triggered:
                    answer.succeed(result)

        def late(_: Event) -> None:
            if not answer.triggered:
                start(run(other))

        start(run(one))
        if not answer.triggered:
            due = self.env.timeout(delay)
            assert due.callbacks is not None  # noqa: S101  # it has not happened yet
            due.callbacks.append(late)
        result: GatewayAnswer = await wait(answer)
        return result

    # ── the lender, as its customers see it ─────────────────────────────────────────────────────

    async def serve(self, request: LenderRequest, subject: str, nth: int) -> Answer:
        """One request through the lender's front: faults, workers, processor, handler.

        `subject` and `nth` key the draws of lender faults. A hang never returns: the caller's own
        deadline ends it.
        """
        effect = self.lender_faults.strike(request.op, "", subject, nth, self.env.now)
        if effect is not None:
            if effect.delay:
                await self.sleep(effect.delay)
            if effect.status:
                return Answer(effect.status, {"error": {"code": effect.code}}, effect.code)
            if effect.transport != "ok" and not effect.processed:
                return await self._broken(effect.transport)
        if self._front.enter():
            request.arrived_at = self.now()
            async with self._workers:
                service = self._machine.service.get(request.op) or self._machine.service["*"]
                busy = service.at(self._stream.random())
                await self.sleep(self._cores.admit(self.env.now, busy) + busy)
                response = await self.lender.handle(request)
            self._front.leave()
        else:
            response = self.lender.shed()
        if effect is not None and effect.transport != "ok":
            return await self._broken(effect.transport)
        return answered(response.status, response.body)

    async def _broken(self, transport: Transport) -> Answer:
        if transport == "hang":
            await wait(self.env.event())
        return Answer(0, {}, FAILURES[transport])

    # ── handsets ────────────────────────────────────────────────────────────────────────────────

    def read(self, phone: str, seen: int, patience: float) -> Generator[Event, Any, Message | None]:
        """Wait at the handset of `phone` for a message newer than the first `seen`."""
        message = self._sms.newest("default", phone, seen)
        if message is not None or patience <= 0:
            return message
        arrived = self.env.event()
        self._handsets.setdefault(phone, []).append(arrived)
        yield arrived | self.env.timeout(patience)
        readers = self._handsets.get(phone, [])
        if arrived in readers:
            readers.remove(arrived)
            if not readers:
                del self._handsets[phone]
        return self._sms.newest("default", phone, seen)

    # ── what models ask for ─────────────────────────────────────────────────────────────────────

    def _carry_out(self, model: Gateway[Any], follow_ups: list[FollowUp]) -> None:
        for follow_up in follow_ups:
            if isinstance(follow_up, Timer):
                due = self.env.timeout(max(0.0, follow_up.at - self.env.now))
                assert due.callbacks is not None  # noqa: S101  # it has not happened yet
                due.callbacks.append(partial(self._fire, model, follow_up))
            elif isinstance(follow_up, Notification):
                start(self._notify(model, follow_up))
            elif isinstance(follow_up, Arrived):
                for reader in self._handsets.pop(follow_up.phone, ()):
                    reader.succeed()

    def _fire(self, model: Gateway[Any], timer: Timer, _: Event) -> None:
        self._carry_out(model, model.fire(timer, self.env.now))

    async def _notify(self, model: Gateway[Any], notification: Notification) -> None:
        if model.callback_lost(notification, notification.key, self.env.now):
            acknowledged = False
        else:
            acknowledged = await self.lender.callback(notification.op, notification.body)
        self._carry_out(model, model.delivered(notification, acknowledged, self.env.now))
