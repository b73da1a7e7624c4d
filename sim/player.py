"""Plays customers' journeys in virtual time and records what happens.

Nothing reaches a customer who looks at a screen, and an answer on its way home cannot be stopped.
So a journey is played ahead, on its own clock, from one answer to the next request's arrival at the
lender: one event a request, whatever the customer thinks and however long the way is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from typing import Any

from mocks.fault_timeline import FaultTimeline
from mocks.lender.service import LenderRequest
from mocks.world import FAILURES
from reports import events
from scenarios.customer import Customer
from scenarios.directives import (
    BEWILDERED,
    Answer,
    Directive,
    Ending,
    Message,
    Now,
    ReadOtp,
    Request,
    Think,
)
from scenarios.journey import journey
from scenarios.keyed import Keyed
from scenarios.schema import Scenario
from sim.clock import Deadlines, call_at, start
from sim.draws import draws
from sim.littles_law import Inside
from sim.progress import Tally
from sim.world import SimWorld

_LATE = Answer(0, {}, "TIMEOUT")


class Player:
    """Customers in front of one SimWorld; `record` takes event rows. `inside` has those under way,
    by number."""

    def __init__(
        self,
        world: SimWorld,
        scenario: Scenario,
        record: Callable[[events.Row], None],
        tally: Tally,
    ) -> None:
        self.world = world
        self.env = world.env
        self.scenario = scenario
        self.record = record
        self.tally = tally
        self.keyed = Keyed(scenario.seed)
        self.inside = Inside("customers")
        self.timeout = scenario.journey.request_timeout
        self.ends = scenario.duration + scenario.drain
        self.deadlines = Deadlines(world.env)
        self.ways = draws(scenario.world.network, scenario.seed, "network")
        self.way_faults = FaultTimeline(self.keyed)
        for fault in scenario.fault_timeline:
            if fault.host == "customer":
                self.way_faults.put(fault)

    def struck(self) -> Counter[str]:
        """How often each fault has struck so far, by label: the customers' and the world's."""
        ways = {each.fault.label: each.struck for each in self.way_faults.listed(0.0)}
        return self.world.struck() + Counter(ways)

    def arrive(self, customer: Customer, planned: float) -> None:
        """A customer who was planned for `planned` (seconds) arrives now, and plays the journey."""
        now = self.env.now
        self.record(events.arrival(customer.number, planned, now))
        self.tally.arrived()
        self.inside.enter(customer.number, now)
        _Visit(self, customer, planned).go_on(None)


class _Visit:
    """One customer's journey. `at`: the customer's own clock, in seconds since the run began;
    `asks`: whether an answer to `request` is awaited, or else a message by `reading`."""

    request: Request
    reading: ReadOtp

    __slots__ = (
        "asks",
        "at",
        "began",
        "came",
        "number",
        "planned",
        "player",
        "reading",
        "request",
        "send",
        "sent",
        "token",
        "waits",
        "way",
    )

    def __init__(self, player: Player, customer: Customer, planned: float) -> None:
        self.player = player
        self.number = customer.number
        self.planned = planned
        self.came = self.at = self.began = player.env.now
        steps: Generator[Directive, Any, Ending] = journey(customer, player.scenario, player.keyed)
        self.send = steps.send
        self.asks = False
        self.sent = self.waits = self.token = 0
        self.way = 0.0

    def go_on(self, reply: Any) -> None:
        """Play on with what the last directive brought, up to the next that needs the world."""
        send = self.send
        while True:
            try:
                directive = send(reply)
            except StopIteration as stop:
                return self._finish(stop.value)
            except Exception:
                # An answer that does not speak the contract, such as a malformed one.
                return self._finish(BEWILDERED)
            kind = type(directive)
            if kind is Think:
                self.at += directive.seconds  # type: ignore[union-attr]
                reply = None
            elif kind is Now:
                reply = self.at
            elif kind is Request:
                self.request, self.asks = directive, True  # type: ignore[assignment]
                self.began = self.at
                self.way = way = self.player.ways() / 2
                return call_at(self.player.env, self.at + way, self._arrived)
            else:
                self.reading, self.asks = directive, False  # type: ignore[assignment]
                if self.at > self.player.env.now:
                    return call_at(self.player.env, self.at, self._look)
                return self._look(None)

    # ── requests ────────────────────────────────────────────────────────────────────────────────

    def _arrived(self, _: Any) -> None:
        """The request is at the lender's door."""
        player, request, nth = self.player, self.request, self.sent
        self.sent = nth + 1
        self.token += 1
        player.deadlines.watch(max(self.began + player.timeout, player.env._now), self)
        cut = player.way_faults.strike_customer(request.op, self.number, nth, self.began)
        if cut is not None and not cut.processed:
            if cut.transport != "hang":
                self._answered(self.token, 0.0, Answer(0, {}, FAILURES[cut.transport]))
            return
        served = player.world.serve(
            LenderRequest(request.op, request.body, request.path, request.idempotency_key),
            str(self.number),
            nth,
        )
        if cut is not None:
            start(served)
            return
        token, way = self.token, self.way
        start(served, lambda answer: self._answered(token, way, answer))

    def _answered(self, token: int, way: float, answer: Answer) -> None:
        """The lender has answered; the customer sees it after `way` seconds, or is gone."""
        if token != self.token:
            return
        at = self.player.env._now + way
        due = self.began + self.player.timeout
        self._seen(_LATE if at > due else answer, min(at, due))

    def overdue(self) -> None:
        """Neither the answer nor the message has come."""
        if self.asks:
            self._seen(_LATE, self.began + self.player.timeout)
        else:
            self.player.world.leave_handset(self.reading.phone, self)
            self.take(None)

    def _seen(self, answer: Answer, at: float) -> None:
        self.token += 1
        self.at = at
        player, request, began = self.player, self.request, self.began
        if at >= player.ends:
            return
        player.record(
            events.request(
                self.number,
                request.op,
                request.attempt,
                began,
                began,
                at,
                answer.status,
                answer.code,
            )
        )
        player.tally.answered(at - began)
        self.go_on(answer)

    # ── the handset ─────────────────────────────────────────────────────────────────────────────

    def _look(self, _: Any) -> None:
        player, wanted = self.player, self.reading
        self.began = self.at
        message = player.world.newest(wanted.phone, wanted.seen)
        if message is not None or wanted.patience <= 0:
            self.take(message)
            return
        player.world.await_message(wanted.phone, self)
        self.token += 1
        player.deadlines.watch(self.at + wanted.patience, self)

    def arrived(self) -> None:
        """A message has come."""
        wanted = self.reading
        self.take(self.player.world.newest(wanted.phone, wanted.seen))

    def take(self, message: Message | None) -> None:
        """Look away from the handset, with the message that came."""
        self.token += 1
        player = self.player
        self.at = now = player.env.now
        if self.reading.patience > 0:
            self.waits += 1
            code = "TIMEOUT" if message is None else "READ"
            player.record(events.otp(self.number, self.waits, self.began, now, code))
        self.go_on(message)

    # ── the end ─────────────────────────────────────────────────────────────────────────────────

    def _finish(self, ending: Ending) -> None:
        call_at(self.player.env, self.at, lambda _: self._finished(ending))

    def _finished(self, ending: Ending) -> None:
        player = self.player
        player.record(events.end(self.number, self.planned, self.at, ending.state, ending.cause))
        player.tally.ended(ending.state)
        player.inside.leave(self.number, player.env.now, self.at - self.came)
