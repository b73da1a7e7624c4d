"""A TCP relay on loopback whose line can be cut, hung, delayed and switched while it is used."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Literal, NamedTuple, TypeVar

from loadtests.process import StackProblem
from scenarios.ceilings.exhaustion import note_exhaustion

T = TypeVar("T")

CHUNK = 65536
UNDER_WAY = 64 * 1024 * 1024
"""Bytes of one direction that a delayed line holds at most; then the sender has to wait."""
CONNECT_TIMEOUT = 5.0
_CALL_TIMEOUT = 10.0
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER that makes close() send a reset
_BACKLOG = 512

Direction = Literal["both", "upstream", "downstream"]
"""`upstream`: from the side that connected to the server behind the relay."""


class Address(NamedTuple):
    """Where a TCP server listens."""

    host: str
    port: int


@dataclass(frozen=True)
class RelayCounts:
    """What went through a relay since it began."""

    accepted: int = 0
    """Connections that were let through to an upstream."""
    refused: int = 0
    """Connections that were reset: nobody answered upstream, or the guard said no."""
    bytes_upstream: int = 0
    bytes_downstream: int = 0


@dataclass(frozen=True)
class TtlSwitch:
    """A change of address that clients learn as their cached answer expires.

    Clients asked at random times, so `elapsed / ttl` of them know the new address `elapsed` seconds
    after the change, and all of them after `ttl` (seconds)."""

    old: Address
    new: Address
    begun: float
    ttl: float

    def share(self, now: float) -> float:
        """The share of clients that know the new address at `now`."""
        return 1.0 if self.ttl <= 0 else min(1.0, max(0.0, (now - self.begun) / self.ttl))


class Relay:
    """Forwards connections to `upstream`, from a thread of its own.

    `port` 0 takes a free one; it stays this relay's until `close`, also while the line is cut.
    `guard` is asked at each new connection, in the relay's thread, and must answer at once: False
    resets it. All methods may be called from any thread. A context manager. Raises StackProblem
    when the port is taken or the thread does not answer.
    """

    def __init__(
        self,
        upstream: Address,
        *,
        name: str = "relay",
        port: int = 0,
        guard: Callable[[], bool] | None = None,
    ) -> None:
        self.name = name
        self._reserved = _bound(port)
        self.address = Address(*self._reserved.getsockname())
        self._line = _Line(self.address, upstream, guard)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()
        try:
            self._call(self._line.listen)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Relay:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def upstream(self) -> Address:
        """Where new connections go; during a switch with a TTL, where they will all go."""
        return self._line.upstream

    @property
    def connections(self) -> int:
        """Open at present."""
        return len(self._line.pipes)

    @property
    def counts(self) -> RelayCounts:
        return self._line.counts

    def set_upstream(self, upstream: Address) -> None:
        """New connections go there; those there are get cut."""
        self._call(self._line.move, upstream)

    def switch(self, to: Address, ttl: float) -> None:
        """Move clients to another upstream as DNS does. A new connection goes to `to` with a
        probability that grows evenly to 1 within `ttl` seconds. Connections that are open stay
        where they are; what is left of them is cut after `ttl`."""
        self._call(self._line.switch, to, ttl)

    def cut(self) -> None:
        """Reset all connections, lose what is under way, and refuse new ones until `resume`."""
        self._call(self._line.cut)

    def drop(self) -> None:
        """Reset all connections and lose what is under way; new ones are welcome."""
        self._call(self._line.drop)

    def hang(self) -> None:
        """Let nothing pass until `resume`; nothing is lost, nothing is refused."""
        self._call(self._line.hang)

    def resume(self) -> None:
        """The line is well again after `cut` or `hang`; a delay stays."""
        self._call(self._line.resume)

    def delay(self, seconds: float, direction: Direction = "both") -> None:
        """Bytes arrive `seconds` after they were sent, in order, also those that are under way.
        `direction`: both, to the upstream alone, or back from it (downstream) alone."""
        self._call(self._line.set_delay, seconds, direction)

    def close(self) -> None:
        """Reset all connections and let go of the port."""
        if self._thread.is_alive():
            try:
                self._call(self._line.close)
            finally:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join(_CALL_TIMEOUT)
                if not self._thread.is_alive():
                    self._loop.close()
        self._reserved.close()

    def _call(self, act: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> T:
        future = asyncio.run_coroutine_threadsafe(act(*arguments), self._loop)
        try:
            return future.result(_CALL_TIMEOUT)
        except FutureTimeout:
            raise StackProblem(f"{self.name} does not answer") from None


class _Line:
    """The relay's state; everything in it happens in the relay's loop."""

    def __init__(
        self, address: Address, upstream: Address, guard: Callable[[], bool] | None
    ) -> None:
        self.upstream = upstream
        self.counts = RelayCounts()
        self.pipes: set[_Pipe] = set()
        self.delays = {"upstream": 0.0, "downstream": 0.0}
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.ways: set[_Way] = set()
        self._address = address
        self._guard = guard
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._switch: TtlSwitch | None = None
        self._draining: asyncio.TimerHandle | None = None
        self._draws = random.Random(0)

    async def listen(self) -> None:
        if self._server is None:
            listener = _bound(self._address.port)
            self._server = await asyncio.start_server(
                self._accept, sock=listener, limit=CHUNK, backlog=_BACKLOG
            )

    async def move(self, upstream: Address) -> None:
        self._end_switch()
        self.upstream = upstream
        await self.drop()

    async def switch(self, to: Address, ttl: float) -> None:
        self._end_switch()
        loop = asyncio.get_running_loop()
        self._switch = TtlSwitch(self.upstream, to, loop.time(), ttl)
        self.upstream = to
        self._draining = loop.call_later(ttl, self._drain, to)

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self.drop()

    async def drop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def hang(self) -> None:
        self.flowing.clear()

    async def resume(self) -> None:
        await self.listen()
        self.flowing.set()

    async def set_delay(self, seconds: float, direction: Direction) -> None:
        for way in self.delays:
            if direction in ("both", way):
                self.delays[way] = seconds
        for open_way in self.ways:
            open_way.look_again()

    async def close(self) -> None:
        self._end_switch()
        await self.cut()

    def count(self, way: str, size: int) -> None:
        name = f"bytes_{way}"
        self.counts = replace(self.counts, **{name: getattr(self.counts, name) + size})

    def _end_switch(self) -> None:
        self._switch = None
        if self._draining is not None:
            self._draining.cancel()
            self._draining = None

    def _drain(self, to: Address) -> None:
        self._end_switch()
        for pipe in self.pipes:
            if pipe.upstream != to:
                pipe.task.cancel()

    def _resolve(self) -> Address:
        if (switch := self._switch) is None:
            return self.upstream
        share = switch.share(asyncio.get_running_loop().time())
        return switch.new if self._draws.random() < share else switch.old

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101
        self._tasks.add(task)
        try:
            if self._server is not None:  # else the line was cut while this connection came in
                await self._forward(task, reader, writer)
        except asyncio.CancelledError:
            pass  # cut: the other side sees a reset
        finally:
            self._tasks.discard(task)
            _reset(writer)

    async def _forward(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await self.flowing.wait()
        upstream = self._resolve()
        try:
            if self._guard is not None and not self._guard():
                raise ConnectionRefusedError
            async with asyncio.timeout(CONNECT_TIMEOUT):
                up_reader, up_writer = await asyncio.open_connection(*upstream, limit=CHUNK)
        except (OSError, TimeoutError) as error:
            note_exhaustion(error)
            self.counts = replace(self.counts, refused=self.counts.refused + 1)
            return
        pipe = _Pipe(upstream, task)
        self.counts = replace(self.counts, accepted=self.counts.accepted + 1)
        ways = {
            _Way(self, "upstream", reader, up_writer),
            _Way(self, "downstream", up_reader, writer),
        }
        try:
            if self._switch is None and upstream != self.upstream:
                return  # the switch ended while this connection was being made
            self.pipes.add(pipe)
            self.ways |= ways
            async with asyncio.TaskGroup() as both:
                for way in ways:
                    both.create_task(way.run())
            for side in (up_writer, writer):
                side.close()
                await side.wait_closed()
        except* (OSError, _Broken):
            pass  # one side broke off; the other gets a reset
        finally:
            self.ways -= ways
            self.pipes.discard(pipe)
            _reset(up_writer)


class _Broken(Exception):
    """A side reset its connection, and the other side has got what came before."""


@dataclass(frozen=True, eq=False)
class _Pipe:
    upstream: Address
    task: asyncio.Task[None]


class _Way:
    """One direction of one connection: chunks with the time at which they came in."""

    def __init__(
        self, line: _Line, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._line = line
        self._way = way
        self._reader = reader
        self._writer = writer
        self._chunks: deque[tuple[float, bytes | None]] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._held = 0
        self._broken = False

    def look_again(self) -> None:
        """The line's delay has changed."""
        self._news.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as both:
            both.create_task(self._take())
            both.create_task(self._pass_on())

    async def _take(self) -> None:
        """Until the sender's end, or its reset, which are under way as long as bytes are."""
        loop = asyncio.get_running_loop()
        chunk: bytes | None = b""
        while chunk is not None:
            try:
                chunk = await self._reader.read(CHUNK) or None
            except OSError:
                self._broken = True
                chunk = None
            self._chunks.append((loop.time(), chunk))
            self._held += len(chunk or b"")
            self._news.set()
            while self._held >= UNDER_WAY:
                self._room.clear()
                await self._room.wait()

    async def _pass_on(self) -> None:
        while (chunk := await self._next()) is not None:
            self._writer.write(chunk)
            await self._writer.drain()
            self._line.count(self._way, len(chunk))
            self._held -= len(chunk)
            self._room.set()
        if self._broken:
            raise _Broken
        self._writer.write_eof()

    async def _next(self) -> bytes | None:
        """The next chunk, once it is due on a line that does not hang; None at the end."""
        loop = asyncio.get_running_loop()
        while True:
            await self._line.flowing.wait()
            left = None
            if self._chunks:
                left = self._chunks[0][0] + self._line.delays[self._way] - loop.time()
                if left <= 0:
                    return self._chunks.popleft()[1]
            self._news.clear()
            try:
                async with asyncio.timeout(left):
                    await self._news.wait()
            except TimeoutError:
                pass


def _bound(port: int) -> socket.socket:
    """A socket on loopback that holds `port` without listening; another one of this kind may be
    bound to the same port and listen."""
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind(("127.0.0.1", port))
    except OSError as error:
        held.close()
        raise StackProblem(f"port {port} cannot be had: {error.strerror}") from None
    return held


def _reset(writer: asyncio.StreamWriter) -> None:
    """Unless it is closed already."""
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
