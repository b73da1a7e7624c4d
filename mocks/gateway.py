"""What the bank, SMS and payment gateways have in common: namespaces, faults, limits, latency.

A gateway is a pure model. Whoever runs it, the simulator or a server, hands in calls with the time
and carries out what comes back: the reply after its delay, timers, and callbacks.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from mocks.capacity import ServerPool
from mocks.fault_timeline import FaultTimeline
from mocks.messages import (
    DEFAULT_NAMESPACE,
    Call,
    CallRecord,
    FollowUp,
    Notification,
    Reply,
    Timer,
)
from mocks.recent import Keep, Recent
from scenarios.distributions import Delay
from scenarios.faults import Effect, Fault
from scenarios.keyed import Keyed
from scenarios.token_bucket import TokenBucket

MAX_NAMESPACES = 1000
"""Beyond it, the one that was idle longest is forgotten."""

DELIVER = "deliver"
"""The `Timer.event` of a message that reaches its handset; a `carrier-delay` fault moves it."""


class GatewayWorld(Protocol):
    """The part of a scenario's world that every gateway section has."""

    @property
    def latency(self) -> dict[str, Delay]: ...
    @property
    def rate_limit(self) -> float | None: ...
    @property
    def concurrency(self) -> int | None: ...


S = TypeVar("S")


class Space(Generic[S]):
    """Everything one namespace knows: the gateway's own `state`, faults, limits, counters.

    Counters of subjects that nobody calls about for an hour may start again at 0. `used_at`: the
    moment of its last call.
    """

    __slots__ = ("_counts", "_keep", "bucket", "faults", "pool", "state", "used_at")

    def __init__(self, state: S, faults: FaultTimeline, world: GatewayWorld, keep: Keep) -> None:
        self.state = state
        self.used_at = 0.0
        self._keep = keep
        self.faults = faults
        self._counts: dict[str, Recent[str, int]] = {}
        rate = world.rate_limit
        self.bucket = TokenBucket(rate, max(1.0, rate)) if rate else None
        self.pool = ServerPool(world.concurrency) if world.concurrency else None

    def count(self, op: str, subject: str, now: float) -> int:
        """How many calls of `op` about `subject` there were before this one, made at `now`."""
        counts = self._counts.get(op)
        if counts is None:
            counts = self._counts[op] = Recent(self._keep.orders, self._keep.few)
        nth = counts.get(subject) or 0
        counts.put(subject, nth + 1, now)
        return nth


class _Asked(NamedTuple, Generic[S]):
    """A call with whom it is about and what strikes it."""

    call: Call
    space: Space[S]
    subject: str
    issuer: str
    nth: int
    effect: Effect | None
    now: float


class Gateway(ABC, Generic[S]):
    """A gateway model. Subclasses say what an operation answers; this class says when, and what
    faults and limits make of it. State changes at `handle`, before the delay, so that a retry sent
    during the delay meets the new state."""

    name: ClassVar[str]
    operations: ClassVar[Mapping[str, str]]
    """Path below the gateway's root by operation, for servers: `{"open": "/v1/open"}`."""
    latency_like: ClassVar[Mapping[str, str]] = {}
    """Operations that take as long as another one where the scenario gives them no latency."""
    order_field: ClassVar[str] = "order_no"
    """The field of an answer that says which order it is about."""

    def __init__(
        self,
        world: GatewayWorld,
        seed: int,
        on_call: Callable[[CallRecord], None] | None = None,
    ) -> None:
        self._world = world
        self._on_call = on_call
        self._spaces: dict[str, Space[S]] = {}
        self._now = 0.0
        self.on_forgotten: Callable[[str], None] = lambda _: None
        """Told of a namespace that had to make room, by whoever runs this gateway."""
        self.keyed = Keyed(seed)
        self.keep = Keep()
        """How long namespaces remember; what is set here holds for those opened afterwards."""

    # ── what a gateway is ───────────────────────────────────────────────────────────────────────

    @abstractmethod
    def new_state(self) -> S:
        """The state of an empty namespace."""

    @abstractmethod
    def subject(self, call: Call, state: S) -> tuple[str, str]:
        """Whom a call is about (card, phone, agreement: the key of its draws) and the card's
        issuer, empty where there is none. Must not depend on random identifiers of the caller."""

    @abstractmethod
    def answer(
        self, call: Call, space: Space[S], subject: str, issuer: str, nth: int, now: float
    ) -> tuple[Reply, list[FollowUp]]:
        """Do the work. `nth` counts this operation on this subject from 0. The reply's `delay` is
        what comes on top of the base latency. Malformed payloads get a refusal, not an exception.
        """

    @abstractmethod
    def refusal(self, op: str, code: str, status: int) -> Reply:
        """An answer of `code` in this gateway's format that did no work."""

    @property
    @abstractmethod
    def limit_code(self) -> str:
        """The code that answers calls beyond the rate limit."""

    def latency_factor(self, op: str, issuer: str) -> float:
        """How much slower than the base latency calls about this issuer are."""
        return 1.0

    def carrier_lost(
        self, follow_ups: list[FollowUp], state: S, *, reported: bool
    ) -> list[FollowUp]:
        """What is left of `follow_ups` when the carrier loses the message."""
        return follow_ups

    def refuses(self, fault: Fault) -> str:
        """Why this gateway cannot have `fault`; empty if it can."""
        if fault.where == "standing" and self._world.concurrency is None:
            return f"{self.name} has no places to lose; give world.{self.name}.concurrency"
        return ""

    def fire(self, timer: Timer, now: float) -> list[FollowUp]:
        """A timer's moment has come."""
        return []

    def delivered(
        self, notification: Notification, acknowledged: bool, now: float
    ) -> list[FollowUp]:
        """A callback attempt was acknowledged, or failed: what comes next."""
        return []

    # ── running it ──────────────────────────────────────────────────────────────────────────────

    def space(self, namespace: str) -> Space[S]:
        """The namespace, opened on first use; another one may have to make room for it."""
        space = self._spaces.get(namespace)
        if space is None:
            if len(self._spaces) >= MAX_NAMESPACES:
                self._make_room()
            faults = FaultTimeline(self.keyed)
            state = self.new_state()
            space = self._spaces[namespace] = Space(state, faults, self._world, self.keep)
            space.used_at = self._now
        return space

    @property
    def spaces(self) -> Mapping[str, Space[S]]:
        """The namespaces that are held, by name."""
        return self._spaces

    def _make_room(self) -> None:
        """Forget the namespace that was idle longest, and one with faults only if all have some:
        who set them counts on them."""
        others = [item for item in self._spaces.items() if item[0] != DEFAULT_NAMESPACE]
        if not others:
            return
        oldest, _ = min(others, key=lambda item: (bool(item[1].faults), item[1].used_at))
        self.reset(oldest)
        self.on_forgotten(oldest)

    def known(self, namespace: str) -> Space[S] | None:
        """The namespace if it is open; None if it never was, or was reset."""
        return self._spaces.get(namespace)

    def reset(self, namespace: str) -> None:
        """Forget one namespace alone: state, faults and counters."""
        self._spaces.pop(namespace, None)

    def put_fault(self, namespace: str, fault: Fault, now: float = 0.0) -> None:
        """Set a fault whose window counts from `now`."""
        self.space(namespace).faults.put(fault, now)

    def handle(self, call: Call, now: float) -> tuple[Reply, list[FollowUp]]:
        """Answer one call at `now` (seconds)."""
        self._now = now
        space = self.space(call.namespace)
        space.used_at = now
        subject, issuer = self.subject(call, space.state)
        nth = space.count(call.op, subject, now)
        effect = space.faults.strike(call.op, issuer, subject, nth, now)
        asked = _Asked(call, space, subject, issuer, nth, effect, now)
        reply, follow_ups = self._outcome(asked)
        if effect is not None:
            self._spoil(reply, effect)
        if reply.transport != "ok":
            delay = math.inf if reply.transport == "hang" else reply.delay
            reply = Reply(0, {}, reply.transport.upper(), delay, reply.transport)
        if self._on_call is not None:
            self._on_call(
                CallRecord(
                    now,
                    self.name,
                    call.op,
                    issuer,
                    reply.code,
                    0 if reply.manner == "partial" else reply.status,
                    reply.delay,
                    reply.transport,
                    call.namespace,
                )
            )
        return reply, follow_ups

    def callback_effect(self, notification: Notification, subject: str, now: float) -> Effect:
        """What happens to this attempt on its way: it waits for `delay`, then it is lost, or comes
        `copies` times more."""
        space = self.known(notification.namespace)
        if space is None:
            return Effect()
        effect = space.faults.strike(
            notification.op, "", subject, notification.attempt, now, where="callbacks"
        )
        return Effect() if effect is None else effect

    def _spoil(self, reply: Reply, effect: Effect) -> None:
        """What faults make of a reply beside its content."""
        if effect.wrong_order and reply.body.get(self.order_field):
            other = self.keyed.integer("another order", str(reply.body[self.order_field]))
            reply.body = {**reply.body, self.order_field: f"{other:016x}"}
            reply.code = "WRONG_ORDER"
        reply.delay += effect.delay
        if effect.bandwidth:
            reply.delay += len(msgspec.json.encode(reply.body)) / effect.bandwidth
        if effect.manner != "whole":
            reply.manner, reply.code = effect.manner, effect.manner.upper()
        reply.hold = effect.hold

    def _outcome(self, asked: _Asked[S]) -> tuple[Reply, list[FollowUp]]:
        effect, space, op = asked.effect, asked.space, asked.call.op
        if effect is not None and effect.transport != "ok" and not effect.processed:
            return Reply(0, {}, "", transport=effect.transport), []
        if effect is not None and effect.status and not effect.processed:
            code = self.limit_code if effect.code == "429" else effect.code
            reply = self.refusal(op, code, effect.status)
        elif space.bucket is not None and not space.bucket.take(asked.now):
            reply = self.refusal(op, self.limit_code, 429)
        else:
            return self._answer(asked)
        # A refusal does no work: it waits for no server and keeps none busy.
        reply.delay += self._service(asked)
        return reply, []

    def _answer(self, asked: _Asked[S]) -> tuple[Reply, list[FollowUp]]:
        call, space, subject, issuer, nth, effect, now = asked
        reply, follow_ups = self.answer(call, space, subject, issuer, nth, now)
        service = self._service(asked)
        wait = 0.0
        if space.pool is not None:
            standing = space.faults.standing(now)
            left = 1.0 if standing is None else standing.capacity
            wait = space.pool.admit(now, service, left)
        reply.delay += wait + service
        if effect is not None:
            if effect.status:
                refused = self.refusal(call.op, effect.code, effect.status)
                reply = Reply(refused.status, refused.body, refused.code, reply.delay)
            if effect.transport != "ok":
                reply.transport = effect.transport
            if effect.carrier_delay:
                follow_ups = [_later(item, effect.carrier_delay) for item in follow_ups]
            if effect.lose_message:
                reported = effect.lose_message == "reported"
                follow_ups = self.carrier_lost(follow_ups, space.state, reported=reported)
        return reply, follow_ups

    def _service(self, asked: _Asked[S]) -> float:
        effect, op = asked.effect, asked.call.op
        if effect is not None and effect.latency is not None:
            return effect.latency
        latency = self._world.latency
        base = latency.get(op) or latency.get(self.latency_like.get(op, ""))
        if base is None:
            return 0.0
        uniform = self.keyed.uniform(self.name, op, asked.subject, asked.nth, "latency")
        service = base.at(uniform) * self.latency_factor(op, asked.issuer)
        return service if effect is None else service * effect.slowdown


def _later(follow_up: FollowUp, seconds: float) -> FollowUp:
    # A slow carrier holds up what is on its way to a handset, and nothing else.
    if isinstance(follow_up, Timer) and follow_up.event == DELIVER:
        return msgspec.structs.replace(follow_up, at=follow_up.at + seconds)
    return follow_up
