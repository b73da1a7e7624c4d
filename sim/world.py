"""The lender's World in virtual time: the same models and the same lender, driven by SimPy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from itertools import count
from random import Random
from types import coroutine
from typing import Any, Protocol, TypeVar

import msgspec
from simpy import Environment

from mocks.capacity import ServerPool
from mocks.fault_timeline import FaultTimeline
from mocks.gateway import Gateway
from mocks.lender.audit import NoAudit
from mocks.lender.memory_store import MemoryStore
from mocks.lender.service import Lender, LenderRequest
from mocks.lender.store import Tx
from mocks.lender.vault import MemoryVault
from mocks.messages import (
    DEFAULT_NAMESPACE,
    Arrived,
    Call,
    FollowUp,
    Notification,
    Reply,
    Timer,
)
from mocks.signing import TOLERANCE
from mocks.sms.model import SmsGateway
from mocks.world import FAILURES, Attempt, CallFailed, GatewayAnswer
from scenarios.contract import OPERATIONS
from scenarios.contract_answers import read_answer
from scenarios.directives import Answer, Message, answered
from scenarios.faults.base import Effect, Transport
from scenarios.faults.network import CALLBACK_TIMEOUT
from scenarios.faults.process import ProcessFault
from scenarios.keyed import Keyed
from scenarios.schema import Scenario
from sim import retention
from sim.clock import Due, after, call_at, due_in, pause, start, wait
from sim.commits import GroupCommit
from sim.draws import draws
from sim.limits import Limit
from sim.littles_law import Inside
from sim.processes import Outages, Process

T = TypeVar("T")


class Reader(Protocol):
    """Somebody at a handset."""

    def arrived(self) -> None:
        """A message has come."""


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
        self._store = MemoryStore(retention.of_lender(scenario))
        self._handsets: dict[str, list[Reader]] = {}
        self.inside = Inside("requests in the lender")
        self._requests = count()
        machine, seed = scenario.world.lender, scenario.seed
        self._commit_time = draws(machine.commit, seed, "commit")
        self._call_overhead = draws(machine.call_overhead, seed, "call overhead")
        service = {name: draws(time, seed, name) for name, time in machine.service.items()}
        self._wakeup = machine.wakeup
        self._service_time = {op: service.get(op, service["*"]) for op in OPERATIONS}
        self.lender_faults = FaultTimeline(self._keyed)
        self._policy = scenario.lender
        self._vault = MemoryVault()
        self._faults = scenario.fault_timeline
        for fault in self._faults:
            if fault.host == "lender":
                self.lender_faults.put(fault)
        # Asked for a hundred times a customer, and mostly there are none.
        self._stands = any(f.host == "lender" and f.where == "standing" for f in self._faults)
        self._put_gateway_faults()
        self._struck_before: Counter[str] = Counter()
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
        return self.env._now + self._skew() if self._stands else self.env._now

    def sleep(self, seconds: float) -> Awaitable[None]:
        return pause(self.env, seconds)

    def call(
        self, gateway: str, op: str, payload: dict[str, Any], timeout: float
    ) -> Awaitable[GatewayAnswer]:
        effect = self.lender_faults.strike_call(gateway, op, payload, self.env.now)
        if effect is None or effect.transport == "ok":
            if self._gateway_process is None:
                return self._asked(gateway, op, payload, timeout)
            return self._exchange(gateway, op, payload, timeout)
        return self._struck(effect, gateway, op, payload, timeout)

    @coroutine
    def _asked(
        self, gateway: str, op: str, payload: dict[str, Any], timeout: float
    ) -> Generator[Due, None, GatewayAnswer]:
        """`_exchange` with a gateway whose process never fails."""
        reply = self._handled(gateway, op, payload)
        delay = reply.delay + reply.hold + self._call_overhead()
        if delay > timeout:
            yield due_in(self.env, timeout)
            raise CallFailed(gateway, op, "TIMEOUT")
        yield due_in(self.env, delay)
        return _received(reply, gateway, op)

    async def _struck(
        self, effect: Effect, gateway: str, op: str, payload: dict[str, Any], timeout: float
    ) -> GatewayAnswer:
        """A call on whose way to the gateway there is a fault."""
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
        delay = reply.delay + reply.hold + self._call_overhead()
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
        return _received(reply, gateway, op)

    def _handled(self, gateway: str, op: str, payload: dict[str, Any]) -> Reply:
        model = self.gateways[gateway]
        reply, follow_ups = model.handle(Call(op, payload), self.env._now)
        if follow_ups:
            self._carry_out(model, follow_ups)
        return reply

    @coroutine
    def transact(self, work: Callable[[Tx], T]) -> Generator[Due, None, T]:
        result = self._store.transact(work)
        env = self.env
        commit = self._commit_time()
        if self._stands:
            standing = self.lender_faults.standing(env._now)
            commit += 0.0 if standing is None else standing.commit
        yield due_in(env, self._commits.delay(env._now, commit))
        return result

    def limit(self, name: str) -> Limit:
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

        def late() -> None:
            if not answer.triggered and life == self._lender_life:
                self._run(run(other))

        self._run(run(one))
        if not answer.triggered:
            after(self.env, delay, late)
        result: GatewayAnswer = await wait(answer)
        return result

    # ── the lender, as its customers see it ─────────────────────────────────────────────────────

    def serve(self, request: LenderRequest, subject: str, nth: int) -> Coroutine[Any, Any, Answer]:
        """One request through the lender's front: faults, workers, processor, handler.

        `subject` and `nth` key the draws of lender faults. A hang never returns: the caller's own
        deadline ends it.
        """
        process = self._lender_process
        if process is None:
            return self._serve(request, subject, nth)
        return self._serve_in(process, request, subject, nth)

    async def _serve_in(
        self, process: Process, request: LenderRequest, subject: str, nth: int
    ) -> Answer:
        if process.outages.down(self.env.now):
            return Answer(0, {}, "UNREACHABLE")
        done = self.env.event()
        process.run(self._serve_unheld(request, subject, nth), done, cut=Answer(0, {}, "RESET"))
        answer: Answer = await wait(done)
        return answer

    async def _serve_unheld(self, request: LenderRequest, subject: str, nth: int) -> Answer:
        # A process that stands still looks at a request, and at its faults, when it goes on.
        return await self._serve(request, subject, nth)

    def _serve(self, request: LenderRequest, subject: str, nth: int) -> Coroutine[Any, Any, Answer]:
        effect = self.lender_faults.strike(request.op, "", subject, nth, self.env.now)
        if effect is None:
            return self._work(request, 1.0)
        return self._serve_struck(request, effect)

    async def _serve_struck(self, request: LenderRequest, effect: Effect) -> Answer:
        """A request at a lender that has a fault."""
        if (effect.status or effect.transport != "ok") and not effect.processed:
            await self.sleep(effect.delay)
            if effect.status:
                return Answer(effect.status, {"error": {"code": effect.code}}, effect.code)
            return await self._broken(effect.transport)
        answer = await self._work(request, effect.slowdown)
        size = len(msgspec.json.encode(answer.body)) if effect.bandwidth else 0
        slow = size / effect.bandwidth if effect.bandwidth else 0.0
        await self.sleep(effect.delay + slow + effect.hold)
        if effect.status:
            return Answer(effect.status, {"error": {"code": effect.code}}, effect.code)
        if effect.transport != "ok":
            return await self._broken(effect.transport)
        if effect.manner == "partial":
            return Answer(0, {}, "RESET")
        if effect.manner == "malformed":
            return read_answer(request.op, answer.status, None)
        return answer

    async def _work(self, request: LenderRequest, slowdown: float) -> Answer:
        if not self._front.enter():
            response = self.lender.shed()
            return answered(response.status, response.body)
        env = self.env
        came, who = env._now, next(self._requests)
        self.inside.enter(who, came)
        request.arrived_at = self.now()
        async with self._workers:
            began = env._now
            busy = self._service_time[request.op]()
            if self._wakeup and self._cores.idle(began):
                busy += self._wakeup
            waits = self._cores.admit(began, busy)
            await pause(env, waits + busy)
            response = await self.lender.handle(request)
            if slowdown > 1:
                await pause(env, (slowdown - 1) * (env._now - began))
        self._front.leave()
        self.inside.leave(who, env._now, env._now - came)
        return answered(response.status, response.body)

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
        self.lender = Lender(self._policy, self, self._vault, NoAudit())
        self._front = self.lender.front(machine.workers)

    @property
    def cores(self) -> ServerPool:
        """The lender's processor, in this life of the lender's."""
        return self._cores

    @property
    def commits(self) -> GroupCommit:
        """The store's writer, in this life of the lender's."""
        return self._commits

    def _end_lender(self) -> None:
        self._lender_life += 1
        self.inside.empty(self.env.now)

    def _restart_lender(self) -> None:
        self._boot_lender()
        self._run(self.lender.recover())
        self._run(self.lender.run_outbox())

    def _end_gateways(self) -> None:
        self._gateway_life += 1
        self._struck_before += self._struck_by_gateways()
        for gateway in self.gateways.values():
            gateway.reset("default")
        self._put_gateway_faults()

    def _put_gateway_faults(self) -> None:
        for fault in self._faults:
            if fault.host in self.gateways:
                self.gateways[fault.host].put_fault("default", fault)

    def struck(self) -> Counter[str]:
        """How often each fault of gateways, lender and processes has struck so far, by label."""
        struck = self._struck_before + self._struck_by_gateways()
        struck.update({each.fault.label: each.struck for each in self.lender_faults.listed(0.0)})
        now = self.env.now
        struck.update(f.label for f in self._faults if f.where == "process" and f.start <= now)
        return struck

    def _struck_by_gateways(self) -> Counter[str]:
        return Counter(
            {
                each.fault.label: each.struck
                for gateway in self.gateways.values()
                for each in gateway.space(DEFAULT_NAMESPACE).faults.listed(0.0)
            }
        )

    def _skew(self) -> float:
        standing = self.lender_faults.standing(self.env.now)
        return 0.0 if standing is None else standing.skew

    # ── handsets ────────────────────────────────────────────────────────────────────────────────

    def newest(self, phone: str, seen: int) -> Message | None:
        """The newest message on the handset of `phone`, if there are more than the first `seen`."""
        return self._sms.newest(DEFAULT_NAMESPACE, phone, seen)

    def await_message(self, phone: str, reader: Reader) -> None:
        """Tell `reader`, once, when a message reaches the handset of `phone`."""
        self._handsets.setdefault(phone, []).append(reader)

    def leave_handset(self, phone: str, reader: Reader) -> None:
        """`reader` waits no longer."""
        readers = self._handsets[phone]
        readers.remove(reader)
        if not readers:
            del self._handsets[phone]

    # ── what models ask for ─────────────────────────────────────────────────────────────────────

    def _carry_out(self, model: Gateway[Any], follow_ups: list[FollowUp]) -> None:
        for follow_up in follow_ups:
            if isinstance(follow_up, Timer):
                fire = partial(self._fire, model, follow_up, self._gateway_life)
                call_at(self.env, max(follow_up.at, self.env._now), fire)
            elif isinstance(follow_up, Notification):
                start(self._notify(model, follow_up))
            elif isinstance(follow_up, Arrived):
                for reader in self._handsets.pop(follow_up.phone, ()):
                    reader.arrived()

    def _fire(self, model: Gateway[Any], timer: Timer, life: int, due: Any) -> None:
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
        if self._stands and abs(self._skew()) > TOLERANCE:
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


def _received(reply: Reply, gateway: str, op: str) -> GatewayAnswer:
    """What the lender gets of a reply. Raises CallFailed when that is nothing."""
    if reply.transport != "ok":
        raise CallFailed(gateway, op, FAILURES[reply.transport])
    if reply.manner == "partial":
        raise CallFailed(gateway, op, "RESET")
    return GatewayAnswer(reply.status, {} if reply.manner == "malformed" else reply.body)
