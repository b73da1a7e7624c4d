"""The lender's World in virtual time: the same models and the same lender, driven by SimPy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager
from functools import partial
from itertools import count
from random import Random
from typing import Any, TypeVar

import msgspec
from simpy import Environment, Event

from mocks.capacity import ServerPool
from mocks.fault_timeline import FaultTimeline
from mocks.gateway import Gateway
from mocks.lender.memory_store import MemoryStore
from mocks.lender.service import Lender, LenderRequest, LenderResponse
from mocks.lender.store import Tx
from mocks.lender.vault import MemoryVault
from mocks.messages import Arrived, Call, FollowUp, Notification, Reply, Timer
from mocks.signing import TOLERANCE
from mocks.sms.model import SmsGateway
from mocks.world import FAILURES, Attempt, CallFailed, GatewayAnswer
from scenarios.directives import Answer, Message, answered
from scenarios.faults.base import Transport
from scenarios.faults.network import CALLBACK_TIMEOUT
from scenarios.faults.process import ProcessFault
from scenarios.keyed import Keyed
from scenarios.schema import Scenario
from sim.clock import after, start, wait
from sim.commits import GroupCommit
from sim.limits import Limit
from sim.processes import Outages, Process

T = TypeVar("T")

RETENTION = 3600.0
"""Seconds for which finished work is kept: longer than anybody comes back for it, and short enough
that a day of virtual time fits into memory."""


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
        self._handsets: dict[str, list[Event]] = {}
        self.lender_faults = FaultTimeline(self._keyed)
        self._policy = scenario.lender
        self._vault = MemoryVault()
        self._faults = scenario.fault_timeline
        for fault in self._faults:
            if fault.host == "lender":
                self.lender_faults.put(fault)
        self._put_gateway_faults()
        self._gateway_life = 0
        self._gateway_process = self._process(
            "gateways", end=self._end_gateways, begin=self._put_gateway_faults
        )
        self._lender_life = 0
        self._lender_process = self._process(
            "lender", end=self._end_lender, begin=self._restart_lender
        )
        self._boot_lender()
        self._run(self.lender.run_outbox())

    # ── World, as the lender sees it ────────────────────────────────────────────────────────────

    def now(self) -> float:
        return float(self.env.now) + self._skew()

    def sleep(self, seconds: float) -> Awaitable[None]:
        return wait(self.env.timeout(seconds))

    async def call(
        self, gateway: str, op: str, payload: dict[str, Any], timeout: float
    ) -> GatewayAnswer:
        effect = self.lender_faults.strike_call(gateway, op, payload, self.env.now)
        if effect is None or effect.transport == "ok":
            return await self._exchange(gateway, op, payload, timeout)
        ends = self.env.now + timeout
        if effect.processed:
            await self._exchange(gateway, op, payload, timeout)  # its answer is lost
        if effect.transport == "hang":
            await self.sleep(ends - self.env.now)
        raise CallFailed(gateway, op, FAILURES[effect.transport])

    async def _exchange(
        self, gateway: str, op: str, payload: dict[str, Any], timeout: float
    ) -> GatewayAnswer:
        began, process = self.env.now, self._gateway_process
        if process is not None:
            if process.outages.down(began):
                raise CallFailed(gateway, op, "UNREACHABLE")
            still = process.outages.resumes(began) - began
            if still >= timeout:
                # It lies in the socket's buffer, and is worked on when nobody waits any more.
                after(self.env, still, partial(self._handled, gateway, op, payload))
                await self.sleep(timeout)
                raise CallFailed(gateway, op, "TIMEOUT")
            if still:
                await self.sleep(still)
        reply = self._handled(gateway, op, payload)
        delay = reply.delay + reply.hold + self._machine.call_overhead.at(self._stream.random())
        if process is not None:
            leaves = process.outages.resumes(self.env.now + delay)
            cut = process.outages.cut(self.env.now, leaves)
            if cut <= began + timeout:
                await self.sleep(cut - self.env.now)
                raise CallFailed(gateway, op, "RESET")
            delay = leaves - self.env.now
            timeout -= self.env.now - began
        if delay > timeout:
            await self.sleep(timeout)
            raise CallFailed(gateway, op, "TIMEOUT")
        await self.sleep(delay)
        if reply.transport != "ok":
            raise CallFailed(gateway, op, FAILURES[reply.transport])
        if reply.manner == "partial":
            raise CallFailed(gateway, op, "RESET")
        return GatewayAnswer(reply.status, {} if reply.manner == "malformed" else reply.body)

    def _handled(self, gateway: str, op: str, payload: dict[str, Any]) -> Reply:
        model = self.gateways[gateway]
        reply, follow_ups = model.handle(Call(op, payload), self.env.now)
        self._carry_out(model, follow_ups)
        return reply

    async def transact(self, work: Callable[[Tx], T]) -> T:
        result = self._store.transact(work)
        standing = self.lender_faults.standing(self.env.now)
        stall = 0.0 if standing is None else standing.commit
        commit = self._machine.commit.at(self._stream.random()) + stall
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
        self._run(work)

    async def race(
        self, one: Attempt[GatewayAnswer], other: Attempt[GatewayAnswer], delay: float
    ) -> GatewayAnswer:
        answer = self.env.event()
        life, running = self._lender_life, 0

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
            if not answer.triggered and life == self._lender_life:
                self._run(run(other))

        self._run(run(one))
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
        process = self._lender_process
        if process is None:
            return await self._serve(request, subject, nth)
        if process.outages.down(self.env.now):
            return Answer(0, {}, "UNREACHABLE")
        done = self.env.event()
        process.run(self._serve(request, subject, nth), done, cut=Answer(0, {}, "RESET"))
        answer: Answer = await wait(done)
        return answer

    async def _serve(self, request: LenderRequest, subject: str, nth: int) -> Answer:
        effect = self.lender_faults.strike(request.op, "", subject, nth, self.env.now)
        if effect is None:
            response = await self._work(request, 1.0)
            return answered(response.status, response.body)
        if (effect.status or effect.transport != "ok") and not effect.processed:
            await self.sleep(effect.delay)
            if effect.status:
                return Answer(effect.status, {"error": {"code": effect.code}}, effect.code)
            return await self._broken(effect.transport)
        response = await self._work(request, effect.slowdown)
        size = len(msgspec.json.encode(response.body)) if effect.bandwidth else 0
        slow = size / effect.bandwidth if effect.bandwidth else 0.0
        await self.sleep(effect.delay + slow + effect.hold)
        if effect.status:
            return Answer(effect.status, {"error": {"code": effect.code}}, effect.code)
        if effect.transport != "ok":
            return await self._broken(effect.transport)
        if effect.manner == "partial":
            return Answer(0, {}, "RESET")
        if effect.manner == "malformed":
            refused = {"error": {"code": f"HTTP_{response.status}"}}
            return answered(response.status, refused if response.status >= 400 else {})
        return answered(response.status, response.body)

    async def _work(self, request: LenderRequest, slowdown: float) -> LenderResponse:
        if not self._front.enter():
            return self.lender.shed()
        request.arrived_at = self.now()
        async with self._workers:
            began = self.env.now
            service = self._machine.service.get(request.op) or self._machine.service["*"]
            busy = service.at(self._stream.random())
            await self.sleep(self._cores.admit(self.env.now, busy) + busy)
            response = await self.lender.handle(request)
            if slowdown > 1:
                await self.sleep((slowdown - 1) * (self.env.now - began))
        self._front.leave()
        return response

    async def _broken(self, transport: Transport) -> Answer:
        if transport == "hang":
            await wait(self.env.event())
        return Answer(0, {}, FAILURES[transport])

    # ── processes ───────────────────────────────────────────────────────────────────────────────

    def _process(
        self, name: str, *, end: Callable[[], None], begin: Callable[[], None]
    ) -> Process | None:
        faults = [f for f in self._faults if isinstance(f, ProcessFault) and f.process == name]
        return Process(self.env, Outages(faults), end=end, begin=begin) if faults else None

    def _run(self, work: Coroutine[Any, Any, Any]) -> None:
        """Go on with a coroutine of the lender's."""
        if self._lender_process is None:
            start(work)
        else:
            self._lender_process.run(work)

    def _boot_lender(self) -> None:
        machine = self._machine
        self._commits = GroupCommit()
        self._cores = ServerPool(machine.cores)
        self._workers = Limit(self.env, machine.workers)
        self._connections = {
            name: Limit(self.env, places) for name, places in machine.connections.items()
        }
        self.lender = Lender(self._policy, self, self._vault)
        self._front = self.lender.front(machine.workers)

    @property
    def commits(self) -> GroupCommit:
        """The store's writer, in this life of the lender's."""
        return self._commits

    def _end_lender(self) -> None:
        self._lender_life += 1

    def _restart_lender(self) -> None:
        self._boot_lender()
        self._run(self.lender.recover())
        self._run(self.lender.run_outbox())

    def _end_gateways(self) -> None:
        self._gateway_life += 1
        for gateway in self.gateways.values():
            gateway.reset("default")
        self._put_gateway_faults()

    def _put_gateway_faults(self) -> None:
        for fault in self._faults:
            if fault.host in self.gateways:
                self.gateways[fault.host].put_fault("default", fault)

    def _skew(self) -> float:
        standing = self.lender_faults.standing(self.env.now)
        return 0.0 if standing is None else standing.skew

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
                fire = partial(self._fire, model, follow_up, self._gateway_life)
                due.callbacks.append(fire)
            elif isinstance(follow_up, Notification):
                start(self._notify(model, follow_up))
            elif isinstance(follow_up, Arrived):
                for reader in self._handsets.pop(follow_up.phone, ()):
                    reader.succeed()

    def _fire(self, model: Gateway[Any], timer: Timer, life: int, due: Event) -> None:
        process = self._gateway_process
        if process is not None:
            if life != self._gateway_life:
                return
            still = process.outages.resumes(self.env.now) - self.env.now
            if still > 0:
                after(self.env, still, partial(self._fire, model, timer, life, due))
                return
        self._carry_out(model, model.fire(timer, self.env.now))

    async def _notify(self, model: Gateway[Any], notification: Notification) -> None:
        effect = model.callback_effect(notification, notification.key, self.env.now)
        if effect.delay > 0:
            await self.sleep(effect.delay)
        acknowledged = False
        for _ in range(0 if effect.lose_callback else 1 + effect.copies):
            acknowledged = await self._deliver(notification) or acknowledged
        self._carry_out(model, model.delivered(notification, acknowledged, self.env.now))

    async def _deliver(self, notification: Notification) -> bool:
        """One attempt of a callback; whether the lender acknowledged it."""
        if abs(self._skew()) > TOLERANCE:
            return False  # the lender takes the signature for one of another time
        callback = self.lender.callback(notification.op, notification.body)
        process = self._lender_process
        if process is None:
            return await callback
        if process.outages.down(self.env.now):
            callback.close()
            return False
        done = self.env.event()
        process.run(callback, done, cut=False)
        await wait(done | self.env.timeout(CALLBACK_TIMEOUT))
        return bool(done.triggered and done.value)
