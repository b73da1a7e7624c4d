"""Carries out what a gateway model asks for beside its reply: timers, callbacks, handsets."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any

from mocks.gateway import Gateway
from mocks.messages import Arrived, FollowUp, Notification, Timer
from mocks.server.callbacks import Callbacks
from mocks.server.clock import WallClock
from mocks.server.logs import Log, failure


class FollowUps:
    """The pending timers, callbacks and long polls of one gateway, by namespace."""

    def __init__(
        self, gateway: Gateway[Any], callbacks: Callbacks, clock: WallClock, log: Log
    ) -> None:
        self._gateway = gateway
        self._callbacks = callbacks
        self._clock = clock
        self._log = log
        self._timers: dict[str, set[asyncio.TimerHandle]] = {}
        self._tasks: dict[str, set[asyncio.Task[None]]] = {}
        self._said: dict[str, set[tuple[str, str]]] = {}
        self._readers: dict[tuple[str, str], set[asyncio.Future[None]]] = {}

    def carry_out(self, follow_ups: list[FollowUp]) -> None:
        """Start all of them."""
        for follow_up in follow_ups:
            if isinstance(follow_up, Timer):
                self._wait(follow_up)
            elif isinstance(follow_up, Notification):
                self._start(follow_up.namespace, self._notify(follow_up))
            else:
                self._wake(follow_up)

    def forget(self, namespace: str) -> None:
        """Drop what is pending in one namespace."""
        self._said.pop(namespace, None)
        for handle in self._timers.pop(namespace, ()):
            handle.cancel()
        for task in self._tasks.pop(namespace, ()):
            task.cancel()

    async def close(self) -> None:
        """Drop everything."""
        tasks = [task for running in self._tasks.values() for task in running]
        for namespace in list(self._timers) + list(self._tasks):
            self.forget(namespace)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def arrival(self, namespace: str, phone: str, seconds: float) -> None:
        """Return when a message reaches `phone`, or after `seconds`."""
        key = (namespace, phone)
        arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        readers = self._readers.setdefault(key, set())
        readers.add(arrived)
        try:
            async with asyncio.timeout(seconds):
                await arrived
        except TimeoutError:
            pass
        finally:
            readers.discard(arrived)
            if not readers and self._readers.get(key) is readers:
                del self._readers[key]

    def wake_all(self) -> None:
        """End every wait at a handset."""
        for namespace, phone in list(self._readers):
            self._wake(Arrived(phone, namespace))

    def _wake(self, follow_up: Arrived) -> None:
        for reader in self._readers.get((follow_up.namespace, follow_up.phone), ()):
            if not reader.done():
                reader.set_result(None)

    def _wait(self, timer: Timer) -> None:
        loop = asyncio.get_running_loop()
        timers = self._timers.setdefault(timer.namespace, set())

        def fire() -> None:
            timers.discard(handle)
            self._guarded(partial(self._gateway.fire, timer))

        handle = loop.call_later(max(0.0, timer.at - self._clock.now()), fire)
        timers.add(handle)

    def _start(self, namespace: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        tasks = self._tasks.setdefault(namespace, set())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _notify(self, notification: Notification) -> None:
        effect = self._gateway.callback_effect(notification, notification.key, self._clock.now())
        if effect.delay > 0:
            await asyncio.sleep(effect.delay)
        acknowledged, why = False, "a fault lost it on the way"
        for _ in range(0 if effect.lose_callback else 1 + effect.copies):
            why = await self._callbacks.post(notification)
            acknowledged = not why or acknowledged
        if not acknowledged:
            self._say(notification, why)
        self._guarded(partial(self._gateway.delivered, notification, acknowledged))

    def _say(self, notification: Notification, why: str) -> None:
        """One line for each kind of callback and reason: thousands may fail alike."""
        said = self._said.setdefault(notification.namespace, set())
        if (notification.op, why) not in said:
            said.add((notification.op, why))
            self._log.warning(
                "callback_unacknowledged", op=notification.op, why=why, attempt=notification.attempt
            )

    def _guarded(self, step: partial[list[FollowUp]]) -> None:
        try:
            self.carry_out(step(now=self._clock.now()))
        except Exception as error:
            self._log.error("follow_up_failed", **failure(error))
