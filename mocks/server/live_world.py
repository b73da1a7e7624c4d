"""The lender's World in wall time: asyncio, HTTP, a real database, unpredictable identifiers."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import aiohttp
import msgspec

from mocks.content import IDENTITY, MOST_BYTES, ContentProblem, decoded, json_object
from mocks.lender.sql_store import SqlStore, StoreWork
from mocks.lender.store import Tx
from mocks.messages import DEFAULT_NAMESPACE
from mocks.server.clock import WallClock
from mocks.server.logs import Log, failure
from mocks.server.store_watch import StoreWatch
from mocks.server.timings import TALLY, Timings
from mocks.server.wire import NAMESPACE_HEADER
from mocks.world import FAILURES, Attempt, CallFailed, GatewayAnswer
from scenarios.ceilings.exhaustion import note_exhaustion
from scenarios.faults import Effect

T = TypeVar("T")

NAMESPACE: ContextVar[str] = ContextVar("namespace", default=DEFAULT_NAMESPACE)
"""The namespace of the request that is being worked on; its gateway calls go to the same one."""

DRAIN = 2.0
"""Seconds that background work gets to finish when the world closes."""

_encode = msgspec.json.Encoder().encode


class LiveWorld:
    """`mocks.world.World` on asyncio.

    `routes` has the URL of each operation by gateway: `{"bank": {"open": "http://..."}}`.
    `connections` limits the connections to each gateway; calls beyond wait in line.
    """

    def __init__(
        self,
        node: str,
        store: SqlStore,
        routes: Mapping[str, Mapping[str, str]],
        connections: Mapping[str, int],
        clock: WallClock,
        log: Log,
    ) -> None:
        self.node = node
        self.timings = Timings()
        self._store = store
        self.store_watch = StoreWatch(store, log)
        self._routes = routes
        self._clock = clock
        self._log = log
        self._limits = {name: asyncio.Semaphore(most) for name, most in connections.items()}
        self._sessions = {
            gateway: aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=connections.get(gateway, 100)),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
            for gateway in routes
        }
        self._tasks: set[asyncio.Task[Any]] = set()
        self.strike_call: Callable[[str, str, dict[str, Any]], Effect | None] = lambda *_: None
        """What a broken network makes of a call; set by whoever keeps the faults."""
        self.standing: Callable[[], Effect | None] = lambda: None
        """What is wrong with the lender's clock and disk; set by whoever keeps the faults."""

    @property
    def store_work(self) -> StoreWork:
        """What the store has done so far."""
        return self._store.work

    def now(self) -> float:
        """Seconds since the epoch, by the lender's own clock, which a fault may have put wrong."""
        standing = self.standing()
        return self._clock.now() + (0.0 if standing is None else standing.skew)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def call(
        self, gateway: str, op: str, payload: dict[str, Any], timeout: float
    ) -> GatewayAnswer:
        """Call a gateway, waiting at most `timeout` seconds. Raises CallFailed."""
        at, started, outcome = self._clock.now(), time.perf_counter(), "OK"
        try:
            effect = self.strike_call(gateway, op, payload)
            if effect is not None and effect.transport != "ok":
                await self._cut(effect, gateway, op, payload, timeout)
            return await self._exchange(gateway, op, payload, timeout)
        except CallFailed as failed:
            outcome = failed.reason
            raise
        finally:
            elapsed = time.perf_counter() - started
            self.timings.call(gateway, op, at, elapsed, outcome)
            tally = TALLY.get()
            if tally is not None:
                tally.calls += elapsed

    async def transact(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in one transaction of the store, in the store's own thread."""
        started = time.perf_counter()
        standing = self.standing()
        stall = 0.0 if standing is None else standing.commit
        try:
            return await asyncio.wrap_future(self._store.submit(work, stall))
        finally:
            self.store_watch.look()
            tally = TALLY.get()
            if tally is not None:
                tally.commits += time.perf_counter() - started
                tally.commit_count += 1

    def limit(self, name: str) -> AbstractAsyncContextManager[None]:
        """A place among those of the limit called `name`; unlimited when nobody set one."""
        return self._place(name)

    def identifier(self, prefix: str) -> str:
        """`prefix_` and 128 random bits."""
        return f"{prefix}_{secrets.token_hex(16)}"

    def digits(self, count: int) -> str:
        """`count` random decimal digits."""
        return str(secrets.randbelow(10**count)).zfill(count)

    def uniform(self, *key: str | int) -> float:
        """A random draw: order numbers are unpredictable here, so a key would fix nothing."""
        return random.random()

    async def race(
        self, one: Attempt[GatewayAnswer], other: Attempt[GatewayAnswer], delay: float
    ) -> GatewayAnswer:
        """The first answer of `one` and, `delay` seconds later, `other`. Raises CallFailed."""
        running: set[asyncio.Task[GatewayAnswer]] = {self.task(one())}
        await asyncio.wait(running, timeout=delay)
        if not any(task.done() for task in running):
            running.add(self.task(other()))
        while True:
            ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            answered = [task for task in ended if task.exception() is None]
            if answered or not running:
                for loser in running:
                    # Retrieved, or asyncio complains about an exception that nobody looked at.
                    loser.add_done_callback(lambda task: task.cancelled() or task.exception())
                return (answered or list(ended))[0].result()

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Go on with `work` beside the request; its failure is logged."""
        self.task(work).add_done_callback(self._report)

    def task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start `work` as a task that `close` waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Let background work finish for DRAIN seconds, cancel the rest, close connections. What
        was cut short is in the outbox and goes on at the next start."""
        await self.store_watch.close()
        tasks = set(self._tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=DRAIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for session in self._sessions.values():
            await session.close()

    async def _cut(
        self, effect: Effect, gateway: str, op: str, payload: dict[str, Any], timeout: float
    ) -> None:
        """A call that the network breaks. Raises CallFailed."""
        ends = self._clock.now() + timeout
        if effect.processed:
            await self._exchange(gateway, op, payload, timeout)  # its answer is lost
        if effect.transport == "hang":
            await asyncio.sleep(max(0.0, ends - self._clock.now()))
        raise CallFailed(gateway, op, FAILURES[effect.transport])

    async def _exchange(
        self, gateway: str, op: str, payload: dict[str, Any], timeout: float
    ) -> GatewayAnswer:
        headers = {"Content-Type": "application/json", **IDENTITY}
        namespace = NAMESPACE.get()
        if namespace != DEFAULT_NAMESPACE:
            headers[NAMESPACE_HEADER] = namespace
        try:
            async with self._sessions[gateway].post(
                self._routes[gateway][op],
                data=_encode(payload),
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=timeout),
                allow_redirects=False,
            ) as answer:
                content = await _content(answer)
        except TimeoutError:
            raise CallFailed(gateway, op, "TIMEOUT") from None
        except aiohttp.ClientConnectorError as error:
            note_exhaustion(error)
            raise CallFailed(gateway, op, "UNREACHABLE") from None
        except (aiohttp.ClientError, OSError) as error:
            note_exhaustion(error)
            raise CallFailed(gateway, op, "RESET") from None
        return GatewayAnswer(answer.status, json_object(content) or {})

    @asynccontextmanager
    async def _place(self, name: str) -> AsyncIterator[None]:
        limit = self._limits.get(name)
        if limit is None:
            yield
            return
        started = time.perf_counter()
        async with limit:
            tally = TALLY.get()
            if tally is not None:
                tally.lines += time.perf_counter() - started
            yield

    def _report(self, task: asyncio.Task[Any]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            note_exhaustion(error)
            self._log.error("background_failed", **failure(error))


async def _content(answer: aiohttp.ClientResponse) -> bytes:
    """The answer's body; none of one that is too long or badly coded, which says nothing. What is
    left unread ends with its connection."""
    parts = bytearray()
    async for part in answer.content.iter_any():
        parts += part
        if len(parts) > MOST_BYTES:
            answer.close()
            return b""
    codings = ", ".join(answer.headers.getall("Content-Encoding", []))
    try:
        return decoded(bytes(parts), codings)
    except ContentProblem:
        return b""
