"""What every service has: health, metrics, OpenAPI, JSON errors, counting, and graceful ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web
from prometheus_client.registry import Collector

from mocks.server.clock import WallClock
from mocks.server.journal import Journal
from mocks.server.logs import Log, failure, quiet_stdlib
from mocks.server.metrics import CONTENT_TYPE, Metrics
from mocks.server.wire import MAX_JSON_BYTES, ConnectionCut, Problem, json_response
from scenarios.ceilings.exhaustion import note_exhaustion

Handler = Callable[[web.Request], Awaitable[tuple[web.StreamResponse, str]]]
"""Answers a request with the response and the code it is counted under. May raise Problem or
ConnectionCut."""

Check = Callable[[], Awaitable[bool]]
SHUTDOWN_TIMEOUT = 2.5
"""Half the seconds that requests in progress get to finish when a service stops: aiohttp waits as
long for handlers, and then again before it cancels them."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How services run. `journal`: requests kept (0: off). `admin_token`: what admin calls must
    carry, if set. `admin`: whether there is an admin API at all. `log_requests`: a log line each
    request."""

    journal: int = 1000
    admin: bool = True
    admin_token: str | None = None
    log_requests: bool = False


class Service:
    """One aiohttp application; routes are added to it, then `start` and `stop`."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        log: Log,
        document: dict[str, Any],
        max_body: int = MAX_JSON_BYTES,
    ) -> None:
        self.name = name
        self.settings = settings
        self.log = log.bind(service=name)
        self.clock = WallClock()
        self.journal = Journal(settings.journal)
        self.closing = asyncio.Event()
        """Set when the service stops: whoever waits for long gives up."""
        self.on_closing: list[Callable[[], None]] = []
        self._in_flight = 0
        self._metrics = Metrics(name, lambda: float(self._in_flight))
        self._document = document
        self._check: Check | None = None
        self._app = web.Application(client_max_size=max_body)
        self._methods: dict[str, set[str]] = {}
        self._app.on_shutdown.append(self._shut_down)
        self.route("GET", "/health", "health", self._health)
        self.route("GET", "/ready", "ready", self._ready)
        self.route("GET", "/metrics", "metrics", self._exposition)
        self.route("GET", "/openapi.json", "openapi", self._openapi)

    def ready_when(self, check: Check) -> None:
        """`/ready` says 200 only while `check` holds."""
        self._check = check

    def measure(self, collector: Collector) -> None:
        """Show `collector`'s metrics at `/metrics` too."""
        self._metrics.include(collector)

    def route(self, method: str, path: str, op: str, handler: Handler) -> None:
        """Serve `method` on `path`; requests are counted as `op`."""
        self._methods.setdefault(path, set()).add(method)
        self._app.router.add_route(method, path, self._counted(op, handler))
        if method == "GET":
            self._methods[path].add("HEAD")
            self._app.router.add_route("HEAD", path, self._counted(op, handler))

    async def runner(self) -> web.AppRunner:
        """The application, ready to be listened for. Its handlers are cancelled when their client
        goes away."""
        for path, methods in self._methods.items():
            self._app.router.add_route("*", path, _not_allowed(methods))
        self._app.router.add_route("*", "/{anything:.*}", _not_found)
        runner = web.AppRunner(
            self._app,
            access_log=None,
            logger=quiet_stdlib(self.log),
            handler_cancellation=True,
            shutdown_timeout=SHUTDOWN_TIMEOUT,
        )
        await runner.setup()
        return runner

    def begin_closing(self) -> None:
        """Not ready any more; long waits end now."""
        if not self.closing.is_set():
            self.closing.set()
            for act in self.on_closing:
                act()

    # ── every request ───────────────────────────────────────────────────────────────────────────

    def _counted(self, op: str, handler: Handler) -> Callable[[web.Request], Awaitable[Any]]:
        observe, timer = self._metrics.observe, time.perf_counter
        log_requests = self.settings.log_requests

        async def serve(request: web.Request) -> web.StreamResponse:
            response: web.StreamResponse
            started = timer()
            self._in_flight += 1
            status, code = 0, "CLIENT_LEFT"
            try:
                response, code = await handler(request)
                status = response.status
            except Problem as problem:
                status, code = problem.status, problem.code
                response = problem.response()
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

    async def _health(self, _: web.Request) -> tuple[web.Response, str]:
        return json_response({"status": "ok", "service": self.name}), "OK"

    async def _ready(self, _: web.Request) -> tuple[web.Response, str]:
        if self.closing.is_set() or (self._check is not None and not await self._check()):
            return json_response({"status": "not ready", "service": self.name}, 503), "NOT_READY"
        return json_response({"status": "ready", "service": self.name}), "OK"

    async def _exposition(self, _: web.Request) -> tuple[web.Response, str]:
        body = self._metrics.exposition()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE}), "OK"

    async def _openapi(self, _: web.Request) -> tuple[web.Response, str]:
        return json_response(self._document), "OK"

    async def _shut_down(self, _: web.Application) -> None:
        self.begin_closing()


async def _not_found(request: web.Request) -> web.Response:
    return Problem(404, "NOT_FOUND", "no such path; /openapi.json lists them").response()


def _not_allowed(methods: set[str]) -> Callable[[web.Request], Awaitable[web.Response]]:
    allow = ", ".join(sorted(methods))

    async def answer(request: web.Request) -> web.Response:
        return Problem(
            405, "METHOD_NOT_ALLOWED", f"this path takes {allow}", headers={"Allow": allow}
        ).response()

    return answer
