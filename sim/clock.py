"""SimPy as the clock of coroutines: `await wait(event)` inside, `start(work)` outside."""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine, Generator
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
