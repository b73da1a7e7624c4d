"""What every service has: health, metrics, OpenAPI, JSON errors, counting, and graceful ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec
from aiohttp import HttpVersion11, web
from prometheus_client.registry import Collector

from mocks.messages import DEFAULT_NAMESPACE
from mocks.server.clock import WallClock
from mocks.server.door import Door, Takes
from mocks.server.hosts import Hosts
from mocks.server.journal import Journal
from mocks.server.logs import Log, failure, quiet_stdlib
from mocks.server.metrics import CONTENT_TYPE, Metrics
from mocks.server.open_connections import Connection, OpenConnections
from mocks.server.wire import (
    MAX_JSON_BYTES,
    ConnectionCut,
    Problem,
    json_response,
    known_namespace,
)
from scenarios.ceilings.exhaustion import note_exhaustion

Handler = Callable[[web.Request], Awaitable[tuple[web.StreamResponse, str]]]
"""Answers a request with the response and the code it is counted under. May raise Problem or
ConnectionCut."""

Check = Callable[[], Awaitable[str]]
"""Why a service cannot take requests; empty if it can."""
SHUTDOWN_TIMEOUT = 2.5
"""Half the seconds that requests in progress get to finish when a service stops: aiohttp waits as
long for handlers, and then again before it cancels them."""
LINGER = 2.0
"""Seconds for which the rest of a body that was turned away is read and forgotten: its client would
not see the answer otherwise."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How services run. `hosts`: the names they go by. `journal`: requests kept (0: off).
    `admin_token`: what admin calls must carry, if set. `admin`: whether there is an admin API at
    all. `customer_headers`: whether the lender's customers may choose a namespace and name
    themselves. `log_requests`: a log line each request."""

    hosts: Hosts
    journal: int = 1000
    admin: bool = True
    admin_token: str | None = None
    customer_headers: bool = False
    log_requests: bool = False


class Service:
    """One aiohttp application; routes are added to it, then `start` and `stop`."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        log: Log,
        connections: OpenConnections,
        document: dict[str, Any],
    ) -> None:
        self.name = name
        self.settings = settings
        self.log = log.bind(service=name)
        self.clock = WallClock()
        self.journal = Journal(settings.journal)
        self.closing = asyncio.Event()
        """Set when the service stops: whoever waits for long gives up."""
        self.on_closing: list[Callable[[], None]] = []
        self.runner = web.AppRunner(
            web.Application(client_max_size=MAX_JSON_BYTES),
            handler_cancellation=True,
            shutdown_timeout=SHUTDOWN_TIMEOUT,
        )
        """The application. Its handlers are cancelled when their client goes away."""
        self._app = self.runner.app
        self.admin_routes: list[tuple[str, str, Handler]] = []
        self._in_flight = 0
        self._metrics = Metrics(name, lambda: float(self._in_flight), self._connections)
        self._document = document
        self._check: Check | None = None
        self._open_connections = connections
        self._door = Door(settings.hosts)
        self._methods: dict[str, set[str]] = {}
        self._app.on_shutdown.append(self._shut_down)
        self.route("GET", "/health", "health", self._health)
        self.route("GET", "/ready", "ready", self._ready)
        self.route("GET", "/metrics", "metrics", self._exposition)
        self.route("GET", "/openapi.json", "openapi", self._openapi)

    def ready_unless(self, check: Check) -> None:
        """`/ready` says 200 only while `check` gives no reason against it."""
        self._check = check

    def measure(self, collector: Collector) -> None:
        """Show `collector`'s metrics at `/metrics` too."""
        self._metrics.include(collector)

    def route(
        self, method: str, path: str, op: str, handler: Handler, takes: Takes = "json"
    ) -> None:
        """Serve `method` on `path`; requests are counted as `op`, and have a body that it `takes`
        if they have one."""
        self._methods.setdefault(path, set()).add(method)
        self._add(method, path, op, handler, takes)
        if method == "GET":
            self._methods[path].add("HEAD")
            self._add("HEAD", path, op, handler, takes)

    def admin_route(self, method: str, path: str, handler: Handler) -> None:
        """Serve a part of the admin API, which the process's admin port serves too."""
        self.admin_routes.append((method, path, handler))
        self.route(method, path, "admin", handler)

    async def set_up(self) -> None:
        """No more routes; `accept` may be called."""
        for path, methods in self._methods.items():
            self._add("*", path, "other", _not_allowed(methods), "json")
        self._add("*", "/{anything:.*}", "other", _not_found, "json")
        await self.runner.setup()

    def accept(self) -> Connection:
        """A connection that somebody makes."""
        assert self.runner.server is not None  # noqa: S101  # set up by then
        return Connection(
            self.runner.server,
            self._open_connections,
            self._metrics.connection_closed,
            self._not_http,
            access_log=None,
            logger=quiet_stdlib(self.log),
            auto_decompress=False,
            lingering_time=LINGER,
        )

    def _add(self, method: str, path: str, op: str, handler: Handler, takes: Takes) -> None:
        self._app.router.add_route(
            method, path, self._counted(op, handler, takes), expect_handler=self._asked(takes)
        )

    def _asked(self, takes: Takes) -> Callable[[web.Request], Awaitable[web.StreamResponse | None]]:
        """Answers a client that asks before it sends its body; who will be refused is not told to
        go on."""

        async def answer(request: web.Request) -> web.StreamResponse | None:
            if request.version < HttpVersion11:
                return None  # which knows no expectations
            if request.headers.get("Expect", "").lower() != "100-continue":
                return Problem(417, "EXPECTATION_FAILED", "Expect takes 100-continue").response()
            with suppress(Problem):
                self._door.admit(request, takes)
                await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                request.writer.output_size = 0
            return None

        return answer

    def begin_closing(self) -> None:
        """Not ready any more; long waits end now."""
        if not self.closing.is_set():
            self.closing.set()
            for act in self.on_closing:
                act()

    # ── every request ───────────────────────────────────────────────────────────────────────────

    def _counted(
        self, op: str, handler: Handler, takes: Takes
    ) -> Callable[[web.Request], Awaitable[Any]]:
        observe, timer, admit = self._metrics.observe, time.perf_counter, self._door.admit
        log_requests = self.settings.log_requests

        async def serve(request: web.Request) -> web.StreamResponse:
            response: web.StreamResponse
            started = timer()
            self._in_flight += 1
            status, code = 0, "CLIENT_LEFT"
            try:
                admit(request, takes)
                response, code = await handler(request)
                status = response.status
            except Problem as problem:
                status, code = problem.status, problem.code
                response = problem.response()
                self._refused(op, problem, request)
            except ConnectionCut as cut:
                code = cut.code
                response = web.Response(status=503)
            except Exception as error:
                status, code = 500, "INTERNAL"
                note_exhaustion(error)
                self.log.error("request_failed", op=op, **failure(error))
                response = Problem(500, code, "the service failed; its log says where").response()
            finally:
                self._in_flight -= 1
                elapsed = timer() - started
                observe(op, status, code, elapsed)
                if log_requests:
                    self.log.info("request", op=op, status=status, code=code, seconds=elapsed)
            return response

        return serve

    def _refused(self, op: str, problem: Problem, request: web.Request) -> None:
        """Let the journal show that a request was turned away, and why."""
        at, namespace = self.clock.now(), known_namespace(request) or DEFAULT_NAMESPACE
        asked = {"method": request.method, "path": request.raw_path}
        self.journal.refuse(at, op, namespace, problem.status, problem.code, asked)

    def _connections(self) -> float:
        return float(len(self.runner.server.connections)) if self.runner.server else 0.0

    def _not_http(self) -> None:
        self._metrics.observe("other", 400, "BAD_REQUEST", 0.0)
        self.journal.refuse(self.clock.now(), "other", DEFAULT_NAMESPACE, 400, "BAD_REQUEST", {})

    async def _health(self, _: web.Request) -> tuple[web.Response, str]:
        return json_response({"status": "ok", "service": self.name}), "OK"

    async def _ready(self, _: web.Request) -> tuple[web.Response, str]:
        reason = "it stops" if self.closing.is_set() else ""
        if not reason and self._check is not None:
            reason = await self._check()
        state = {"status": "not ready" if reason else "ready", "service": self.name}
        if reason:
            return json_response({**state, "reason": reason}, 503), "NOT_READY"
        return json_response(state), "OK"

    async def _exposition(self, _: web.Request) -> tuple[web.Response, str]:
        body = self._metrics.exposition()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE}), "OK"

    async def _openapi(self, _: web.Request) -> tuple[web.Response, str]:
        return json_response(self._document), "OK"

    async def _shut_down(self, _: web.Application) -> None:
        self.begin_closing()


async def _not_found(_: web.Request) -> tuple[web.StreamResponse, str]:
    raise Problem(404, "NOT_FOUND", "no such path; /openapi.json lists them")


def _not_allowed(methods: set[str]) -> Handler:
    allow = ", ".join(sorted(methods))

    async def answer(_: web.Request) -> tuple[web.StreamResponse, str]:
        raise Problem(
            405, "METHOD_NOT_ALLOWED", f"this path takes {allow}", headers={"Allow": allow}
        )

    return answer
