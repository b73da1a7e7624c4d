"""SimPy as the clock of coroutines: `await wait(event)` inside, `start(work)` outside."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any, cast

from simpy import Environment, Event


@coroutine
def wait(event: Event) -> Generator[Event, Any, Any]:
    """Suspend the coroutine until `event`, and return its value."""
    return (yield event)


def start(work: Coroutine[Event, Any, None]) -> None:
    """Run a coroutine, whose awaitables are SimPy events, from now to its end.

    Nobody can wait for it or interrupt it, which saves the two events that a `simpy.Process` costs.
    What it raises comes out of `Environment.run`.
    """
    _advance(work, None)


def _advance(work: Coroutine[Event, Any, None], happened: Event | None) -> None:
    while True:
        try:
            if happened is None:
                target = work.send(None)
            elif happened.ok:
                target = work.send(happened.value)
            else:
                happened.defused = True
                target = work.throw(cast(BaseException, happened.value))
        except StopIteration:
            return
        if target.callbacks is not None:
            target.callbacks.append(lambda event: _advance(work, event))
            return
        happened = target


class Task:
    """A coroutine like one of `start`, which can be closed, and stands still for as long as `held`
    says (seconds) when something wakes it. `ended` gets what it returns."""

    def __init__(
        self,
        work: Coroutine[Event, Any, Any],
        held: Callable[[], float],
        ended: Callable[[Task, Any], None],
    ) -> None:
        self._work = work
        self._held = held
        self._ended = ended
        self._closed = False

    def begin(self) -> None:
        """Run to the first wait."""
        if not self._closed:
            self._advance(None)

    def close(self) -> None:
        """End it where it waits; it never hears of what it waited for."""
        self._closed = True
        self._work.close()

    def _woken(self, event: Event) -> None:
        if not event.ok:
            event.defused = True
        if self._closed:
            return
        held = self._held()
        if held > 0:
            after(event.env, held, lambda: self._woken(event))
        else:
            self._advance(event)

    def _advance(self, happened: Event | None) -> None:
        while True:
            try:
                if happened is None:
                    target = self._work.send(None)
                elif happened.ok:
                    target = self._work.send(happened.value)
                else:
                    target = self._work.throw(cast(BaseException, happened.value))
            except StopIteration as stop:
                self._ended(self, stop.value)
                return
            if target.callbacks is not None:
                target.callbacks.append(self._woken)
                return
            if not target.ok:
                target.defused = True
            happened = target


def after(env: Environment, seconds: float, act: Callable[[], object]) -> None:
    """Call `act` in `seconds`."""
    due = env.timeout(seconds)
    assert due.callbacks is not None  # noqa: S101  # it has not happened yet

    def due_now(_: Event) -> None:
        act()

    due.callbacks.append(due_now)


def arrive_later(event: Event, value: Any, delay: float) -> None:
    """Let `event` succeed with `value` in `delay` seconds; from now on it counts as triggered."""
    event._ok = True
    event._value = value
    event.env.schedule(event, delay=delay)


class Deadlines:
    """Events that must happen `after` seconds from their start at the latest.

    All share one length, so the oldest always falls due first and one process watches them all: a
    request that is answered in time costs no timer of its own.
    """

    def __init__(self, env: Environment, after: float, late: Any) -> None:
        self._env = env
        self._after = after
        self._late = late
        self._open: deque[tuple[float, Event]] = deque()
        self._watching = False

    def watch(self, event: Event) -> None:
        """Succeed `event` with the late value unless it has happened by then."""
        self._open.append((self._env.now + self._after, event))
        if not self._watching:
            self._watching = True
            self._env.process(self._watch())

    def _watch(self) -> Generator[Event, Any, None]:
        while self._open:
            due, event = self._open[0]
            if not event.triggered and due > self._env.now:
                yield self._env.timeout(due - self._env.now)
            self._open.popleft()
            if not event.triggered:
                event.succeed(self._late)
        self._watching = False
