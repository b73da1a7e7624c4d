"""SimPy as the clock of coroutines: `await wait(event)` inside, `start(env, work)` outside."""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any

from simpy import Environment, Event


@coroutine
def wait(event: Event) -> Generator[Event, Any, Any]:
    """Suspend the coroutine until `event`, and return its value."""
    return (yield event)


def start(env: Environment, work: Coroutine[Any, Any, Any]) -> Event:
    """Run a coroutine whose awaitables are SimPy events as a process of its own."""
    return env.process(work)  # type: ignore[arg-type]  # a coroutine has send and throw, which is all


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
