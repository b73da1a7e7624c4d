"""Limits that requests wait in line for: worker pools and connections."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Generator, Iterator
from types import TracebackType
from typing import Any

from simpy import Environment, Event

from sim.clock import wait


class _AtOnce:
    """An awaitable that waits for nothing."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, None]:
        return _NOTHING  # type: ignore[return-value]


_NOTHING: Iterator[Any] = iter(())
_AT_ONCE = _AtOnce()


class Limit:
    """`places` at once: `async with limit:` waits in order of arrival for one, and holds it.

    `simpy.Resource` does the same, but spends three events on a place that is free.
    """

    __slots__ = ("_env", "_free", "_line")

    def __init__(self, env: Environment, places: int) -> None:
        self._env = env
        self._free = places
        self._line: deque[Event] = deque()

    def __aenter__(self) -> Awaitable[None]:
        if self._free:
            self._free -= 1
            return _AT_ONCE
        turn = self._env.event()
        self._line.append(turn)
        return wait(turn)

    def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Awaitable[None]:
        if self._line:
            # The place passes on without becoming free: nobody overtakes the line.
            self._line.popleft().succeed()
        else:
            self._free += 1
        return _AT_ONCE
