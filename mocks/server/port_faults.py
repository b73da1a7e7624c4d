"""Faults that close a port: connection refused, for real, in the windows of an outage."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Sequence

from mocks.fault_timeline import Listed
from mocks.server.clock import WallClock
from mocks.server.listener import Listener
from mocks.server.logs import Log, failure
from mocks.server.problems import PortBusy
from scenarios.faults import Fault
from scenarios.faults.outage import Outage


def closes_port(fault: Fault) -> bool:
    """Whether `fault` is an outage of mode refuse."""
    return isinstance(fault, Outage) and fault.mode == "refuse"


class PortFaults:
    """Closes and opens one service's port as its faults say, by label."""

    def __init__(self, listener: Listener, clock: WallClock, log: Log) -> None:
        self._listener = listener
        self._clock = clock
        self._log = log
        self._running: dict[str, asyncio.Task[None]] = {}
        self._closed: set[str] = set()
        self._closings: Counter[str] = Counter()

    def put(self, fault: Fault) -> None:
        """Close the port in the windows of `fault`, counted from now."""
        self._closings[fault.label] = 0
        loop = asyncio.get_running_loop()
        self._running[fault.label] = loop.create_task(self._follow(fault, self._clock.now()))

    def drop(self, label: str | None) -> None:
        """Forget the fault called `label`, or all; a port that is closed for it opens again."""
        for planned in [label] if label is not None else list(self._running):
            task = self._running.pop(planned, None)
            if task is not None:
                task.cancel()

    def counted(self, listed: Sequence[Listed]) -> list[Listed]:
        """`listed`, with the closings of the port for what a fault of it struck: who is refused a
        connection is seen by nobody here."""
        return [
            each._replace(struck=self._closings[each.fault.label])
            if closes_port(each.fault)
            else each
            for each in listed
        ]

    async def close(self) -> None:
        """Forget all."""
        tasks = list(self._running.values())
        self.drop(None)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, fault: Fault, zero: float) -> None:
        try:
            for begin, end in fault.windows():
                await self._until(zero + begin)
                await self._switch(fault.label, opened=False)
                await self._until(zero + end)
                await self._switch(fault.label, opened=True)
        finally:
            # Cleared, replaced, or the server ends.
            await self._switch(fault.label, opened=True)

    async def _until(self, moment: float) -> None:
        if math.isinf(moment):
            await asyncio.Event().wait()
        await asyncio.sleep(max(0.0, moment - self._clock.now()))

    async def _switch(self, label: str, *, opened: bool) -> None:
        was_closed = bool(self._closed)
        if opened:
            self._closed.discard(label)
        else:
            self._closed.add(label)
        if was_closed == bool(self._closed):
            self._closings[label] += not opened
            return
        try:
            # Once begun it is carried through, or the port would be lost.
            await asyncio.shield(self._listener.resume() if opened else self._listener.refuse())
        except (OSError, PortBusy) as error:
            self._log.error("port_switch_failed", **failure(error))
        else:
            self._closings[label] += not opened
            self._log.info("port_opened" if opened else "port_closed")
