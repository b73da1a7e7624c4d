"""The open connections of one process: how many there may be, and how long each may keep waiting.

aiohttp closes connections that are idle between requests, and no others; who sends half a body, or
never reads an answer, would keep a file of this process open for ever.
"""

from __future__ import annotations

import asyncio
import errno
import heapq
import resource
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

from aiohttp import web

from mocks.server.connections import MAX_HANG, reset_transport
from mocks.server.logs import Log
from mocks.server.wire import Problem
from scenarios.ceilings.exhaustion import note_exhaustion

Phase = Literal["head", "idle", "body", "answer", "work"]
LIMITS: dict[Phase, float] = {
    "head": 10.0,
    "idle": 75.0,  # nginx's keepalive_timeout
    "body": 30.0,
    "answer": 60.0,
    "work": MAX_HANG + 60.0,
}
"""Seconds that a connection may stay in a phase: before its first request has come whole, between
requests, within a body, while its client reads an answer, and while its request is worked on."""

MOST = 10_000
"""Connections of one process, if its open files allow as many."""
SWEEP = 1.0
"""Seconds between looks at all connections."""
TOLD_EVERY = 60.0
"""Seconds between log lines of one kind."""

_NO_ROOM = OSError(errno.EMFILE, "no room for another connection")
"""A run in which it came was at this process's limit, not at that of what it tests."""
_SHARE_MADE_ROOM = 20
"""One in so many goes when there is no room, so that the look for them is worth it."""


def most_connections() -> int:
    """How many connections a process may take with its soft limit of open files: a quarter is left
    for databases, logs, and connections that it makes itself."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if files == resource.RLIM_INFINITY else max(8, min(MOST, files - files // 4))


class Connection(web.RequestHandler):
    """aiohttp's connection, one of all that are open. `closed` is told why it was closed, `refused`
    that what came over it was no HTTP."""

    __slots__ = ("_connections", "closed", "phase", "refused", "seen", "since")

    def __init__(
        self,
        server: web.Server,
        connections: OpenConnections,
        closed: Callable[[str], None],
        refused: Callable[[], None],
        **options: Any,
    ) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self._connections = connections
        self.closed = closed
        self.refused = refused
        self.phase: Phase = "head"
        self.seen = 0
        self.since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._connections.join(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connections.leave(self)
        super().connection_lost(exc)

    def look(self, now: float) -> None:
        """See which phase it is in, and since when: since the first look at which it was."""
        phase = self._phase_now()
        if (phase, self._request_count) != (self.phase, self.seen):
            self.phase, self.seen, self.since = phase, self._request_count, now

    def waits_for_client(self) -> bool:
        """Whether nothing of it is worked on here."""
        return self.phase != "work"

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What came is no HTTP, or no handler of ours: those answer their own failures."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is on its way already")
        self.refused()
        self._connections.note("bad_requests", "not_http")
        response = Problem(status, "BAD_REQUEST", "this is not HTTP as it should be").response()
        response.force_close()
        return response

    def _phase_now(self) -> Phase:
        request, transport = self._current_request, self.transport
        if request is not None:
            return "work" if request.content.is_eof() else "body"
        if self._request_in_progress or (transport and transport.get_write_buffer_size()):
            return "answer"
        return "idle" if self._request_count else "head"


class OpenConnections:
    """All connections of a process's services, and what is said of them in the log."""

    def __init__(self, most: int, log: Log) -> None:
        self.most = most
        self._log = log
        self._open: dict[Connection, None] = {}
        self._untold: dict[str, Counter[str]] = {}
        self._told: dict[str, float] = {}
        self._loop = asyncio.get_running_loop()

    def join(self, connection: Connection) -> None:
        """A new connection, for which others may have to go."""
        connection.since = self._loop.time()
        self._open[connection] = None
        if len(self._open) > self.most:
            self._make_room(connection)

    def leave(self, connection: Connection) -> None:
        """It is closed."""
        self._open.pop(connection, None)

    def note(self, event: str, kind: str) -> None:
        """Something that the log tells of, but not each time."""
        self._untold.setdefault(event, Counter())[kind] += 1

    async def watch(self) -> None:
        """Endless: close who waited too long, and tell the log."""
        while True:
            await asyncio.sleep(SWEEP)
            now = self._loop.time()
            for connection in list(self._open):
                connection.look(now)
                if now - connection.since > LIMITS[connection.phase]:
                    self._close(connection, connection.phase)
            self._tell(now)

    def _make_room(self, newcomer: Connection) -> None:
        """Close those that have waited longest for their clients; the newcomer if there are none:
        what is being worked on goes on."""
        note_exhaustion(_NO_ROOM)
        now = self._loop.time()
        for connection in self._open:
            connection.look(now)
        waiting = (c for c in self._open if c is not newcomer and c.waits_for_client())
        count = max(1, self.most // _SHARE_MADE_ROOM)
        gone = heapq.nsmallest(count, waiting, key=lambda connection: connection.since)
        for connection in gone or [newcomer]:
            self._close(connection, "no_room")

    def _close(self, connection: Connection, why: str) -> None:
        self.leave(connection)
        connection.closed(why)
        self.note("connections_closed", why)
        transport = connection.transport
        if why == "idle" and transport is not None:
            transport.close()
        else:
            reset_transport(transport)

    def _tell(self, now: float) -> None:
        for event, kinds in list(self._untold.items()):
            if now - self._told.get(event, -TOLD_EVERY) >= TOLD_EVERY:
                self._told[event] = now
                del self._untold[event]
                self._log.warning(event, most=self.most, **kinds)
