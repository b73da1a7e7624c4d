"""Limits that requests wait in line for: worker pools and connections."""

from __future__ import annotations

from collections import deque
from types import TracebackType

from simpy import Environment, Event

from sim.clock import wait


class Limit:
    """`places` at once: `async with limit:` waits in order of arrival for one, and holds it.

    `simpy.Resource` does the same, but spends three events on a place that is free.
    """

    def __init__(self, env: Environment, places: int) -> None:
        self._env = env
        self._free = places
        self._line: deque[Event] = deque()

    async def __aenter__(self) -> None:
        if self._free:
            self._free -= 1
        else:
            turn = self._env.event()
            self._line.append(turn)
            await wait(turn)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._line:
            # The place passes on without becoming free: nobody overtakes the line.
            self._line.popleft().succeed()
        else:
            self._free += 1
