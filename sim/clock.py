"""SimPy as the clock of coroutines: `await wait(event)` or `await pause(...)` inside, `start(work)`
outside.

A day of customers makes a hundred million waits, so the common one, for some seconds, goes without
SimPy's event objects: a `Due` lies on the environment's own heap, where SimPy's own loop would
carry it out as well.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from heapq import heappop, heappush
from itertools import count
from math import inf
from types import coroutine
from typing import Any, Protocol, cast

from simpy import Environment, Event
from simpy.events import NORMAL


class Due:
    """A moment on the environment's heap, for one listener. It cannot fail and has no value."""

    __slots__ = ("callbacks",)

    _ok = True
    _value = None
    callbacks: tuple[Callable[[Any], object], ...] | None


def due_in(env: Environment, seconds: float) -> Due:
    """A moment `seconds` from now, for a coroutine of `start` or `Task` to yield."""
    due = Due()
    heappush(env._queue, (env._now + seconds, NORMAL, next(env._eid), due))  # type: ignore[misc]
    return due


def call_at(env: Environment, moment: float, act: Callable[[Any], object]) -> None:
    """Call `act`, with an argument to ignore, at `moment`, which has not passed."""
    due = Due()
    due.callbacks = (act,)
    heappush(env._queue, (moment, NORMAL, next(env._eid), due))  # type: ignore[misc]


def after(env: Environment, seconds: float, act: Callable[[], object]) -> None:
    """Call `act` in `seconds`."""
    call_at(env, env.now + seconds, lambda _: act())


def run_until(env: Environment, until: float) -> None:
    """`env.run(until=until)` in one loop: what is due before `until` happens, then it is `until`.

    Raises what comes out of an event that failed and that nobody waited for.
    """
    queue = env._queue
    while queue and queue[0][0] < until:
        env._now, _, _, event = heappop(queue)
        callbacks = event.callbacks
        event.callbacks = None  # type: ignore[assignment]
        for callback in callbacks:
            callback(event)
        if not event._ok and not event.defused:
            raise cast(BaseException, event._value)
    env._now = until


@coroutine
def wait(event: Event) -> Generator[Event, Any, Any]:
    """Suspend the coroutine until `event`, and return its value."""
    return (yield event)


@coroutine
def pause(env: Environment, seconds: float) -> Generator[Due, None, None]:
    """Suspend the coroutine for `seconds`."""
    due = Due()
    heappush(env._queue, (env._now + seconds, NORMAL, next(env._eid), due))  # type: ignore[misc]
    yield due


_NOW = Due()


def start(work: Coroutine[Any, Any, Any], ended: Callable[[Any], object] | None = None) -> None:
    """Run a coroutine, whose awaitables are SimPy events, from now to its end; `ended` gets what
    it returns.

    Nobody can wait for it or interrupt it, which saves the two events that a `simpy.Process` costs.
    What it raises comes out of `Environment.run`.
    """
    _Running(work, ended).go_on(_NOW)


class _Running:
    """A coroutine of `start`."""

    __slots__ = ("_ended", "_work")

    def __init__(
        self, work: Coroutine[Any, Any, Any], ended: Callable[[Any], object] | None
    ) -> None:
        self._work = work
        self._ended = ended

    def go_on(self, happened: Any) -> None:
        work = self._work
        while True:
            try:
                if happened._ok:
                    target = work.send(happened._value)
                else:
                    happened.defused = True
                    target = work.throw(happened._value)
            except StopIteration as stop:
                if self._ended is not None:
                    self._ended(stop.value)
                return
            if type(target) is Due:
                target.callbacks = (self.go_on,)
                return
            if target.callbacks is not None:
                target.callbacks.append(self.go_on)
                return
            happened = target


class Task:
    """A coroutine like one of `start`, which can be closed, and stands still for as long as `held`
    says (seconds) when something wakes it. `ended` gets what it returns."""

    def __init__(
        self,
        env: Environment,
        work: Coroutine[Any, Any, Any],
        held: Callable[[], float],
        ended: Callable[[Task, Any], None],
    ) -> None:
        self._env = env
        self._work = work
        self._held = held
        self._ended = ended
        self._closed = False

    def begin(self) -> None:
        """Run to the first wait."""
        if not self._closed:
            self._advance(_NOW)

    def close(self) -> None:
        """End it where it waits; it never hears of what it waited for."""
        self._closed = True
        self._work.close()

    def _woken(self, event: Any) -> None:
        if not event._ok:
            event.defused = True
        if self._closed:
            return
        held = self._held()
        if held > 0:
            after(self._env, held, lambda: self._woken(event))
        else:
            self._advance(event)

    def _advance(self, happened: Any) -> None:
        while True:
            try:
                if happened._ok:
                    target = self._work.send(happened._value)
                else:
                    target = self._work.throw(happened._value)
            except StopIteration as stop:
                self._ended(self, stop.value)
                return
            if type(target) is Due:
                target.callbacks = (self._woken,)
                return
            if target.callbacks is not None:
                target.callbacks.append(self._woken)
                return
            if not target._ok:
                target.defused = True
            happened = target


class Waiting(Protocol):
    """Somebody whose patience ends. `token` changes whenever they begin or end a wait."""

    token: int

    def overdue(self) -> None:
        """What was waited for has not come."""


class Deadlines:
    """Moments until which somebody waits at the longest.

    Nearly everybody is served in time, so one look at the earliest open moment does for all: who
    is served costs no event.
    """

    def __init__(self, env: Environment) -> None:
        self._env = env
        self._open: list[tuple[float, int, Waiting, int]] = []
        self._order = count()
        self._next_look = inf

    def watch(self, due: float, waiting: Waiting) -> None:
        """Call `waiting.overdue` at `due`, unless its token is another by then."""
        heappush(self._open, (due, next(self._order), waiting, waiting.token))
        if due < self._next_look:
            self._next_look = due
            call_at(self._env, due, self._look)

    def _look(self, _this: Due) -> None:
        heap, now = self._open, self._env._now
        while heap:
            due, _, waiting, token = heap[0]
            if waiting.token == token:
                if due > now:
                    break
                heappop(heap)
                waiting.overdue()
            else:
                heappop(heap)
        if not heap:
            self._next_look = inf
        elif self._next_look <= now:
            self._next_look = heap[0][0]
            call_at(self._env, self._next_look, self._look)
