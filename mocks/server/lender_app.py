"""The reference lender behind a real port: the contract's routes, callbacks, and faults."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

from aiohttp import web

from mocks.fault_timeline import Listed
from mocks.lender.partner_fields import read_callback
from mocks.lender.service import Lender, LenderRequest, LenderResponse
from mocks.lender.store import StoreUnavailable
from mocks.messages import DEFAULT_NAMESPACE
from mocks.server.admin import Admin
from mocks.server.app import Handler, Service
from mocks.server.callbacks import CALLBACK_PATHS
from mocks.server.connections import hang, reset, spoiled
from mocks.server.door import Takes
from mocks.server.edge import Edge, answer_delay, refusal
from mocks.server.listener import Listener
from mocks.server.live_world import NAMESPACE, LiveWorld
from mocks.server.logs import failure
from mocks.server.policy_metrics import PolicyCollector
from mocks.server.port_faults import PortFaults, closes_port
from mocks.server.store_metrics import StoreCollector
from mocks.server.timings import TALLY, Tally
from mocks.server.uploads import read_upload
from mocks.server.wire import (
    NAMESPACE_HEADER,
    ConnectionCut,
    Problem,
    customer_of,
    json_response,
    namespace_of,
    parse_object,
    read_body,
)
from mocks.signing import verify
from scenarios.contract import OPERATIONS, ErrorCode, Operation
from scenarios.directives import answered
from scenarios.faults import Effect, Fault

READY_TIMEOUT = 2.0
"""Seconds in which the store must answer for the lender to be ready."""

_KEY = re.compile(r"[!-~]{1,255}")
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")


class LenderService:
    """The routes of the lender, and what the admin API acts on."""

    name = "lender"

    def __init__(
        self,
        service: Service,
        lender: Lender,
        world: LiveWorld,
        listener: Listener,
        *,
        workers: int,
        seed: int,
        signing_key: bytes,
        admin_document: dict[str, Any],
    ) -> None:
        self._service = service
        self._lender = lender
        self._world = world
        self._workers = asyncio.Semaphore(workers)
        self._front = lender.front(workers)
        self._edge = Edge(seed)
        self._port_faults = PortFaults(listener, service.clock, service.log)
        world.strike_call = self._strike_call
        world.standing = lambda: self._edge.standing(service.clock.now())
        self._key = signing_key
        self._outbox: asyncio.Task[None] | None = None
        for operation in OPERATIONS.values():
            takes: Takes = "form" if operation.name == "documents" else "json"
            service.route(
                operation.method, operation.path, operation.name, self._operation(operation), takes
            )
        for op, path in CALLBACK_PATHS.items():
            service.route("POST", path, op, self._callback(op))
        service.ready_unless(self._reason_not_ready)
        service.measure(PolicyCollector(lender.decisions))
        service.measure(StoreCollector(world.store_work))
        admin = Admin(service, self, admin_document)
        admin.feed("/timings", "timings", world.timings.ring, lambda row: row)

    async def start(self) -> None:
        """Finish what an earlier process left undone, and keep the outbox going."""
        await self._lender.recover()
        self._outbox = asyncio.get_running_loop().create_task(self._lender.run_outbox())
        self._outbox.add_done_callback(self._outbox_ended)

    async def close(self) -> None:
        """Stop the outbox and let work in progress end."""
        await self._port_faults.close()
        if self._outbox is not None:
            self._outbox.cancel()
            await asyncio.gather(self._outbox, return_exceptions=True)
        await self._world.close()

    def _outbox_ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._service.log.error("outbox_failed", **failure(error))

    # ── the contract ────────────────────────────────────────────────────────────────────────────

    def _operation(self, operation: Operation) -> Handler:
        op = operation.name

        async def answer(request: web.Request) -> tuple[web.StreamResponse, str]:
            at, started = self._service.clock.now(), time.perf_counter()
            namespace, customer = self._said_by_customer(request)
            asked = await _lender_request(op, request)
            subject = customer or next(iter(asked.path.values()), "")
            effect = self._edge.strike(namespace, op, subject, at)
            cut = effect is not None and (effect.status or effect.transport != "ok")
            if effect is not None and cut and not effect.processed:
                await asyncio.sleep(effect.delay)
                if effect.status:
                    self._keep(at, op, namespace, effect.status, effect.code, asked.body, {})
                    return json_response(refusal(effect), effect.status), effect.code
                self._keep(at, op, namespace, 0, effect.transport.upper(), asked.body, {})
                await self._break(request, effect.transport)
            NAMESPACE.set(namespace)
            tally = Tally()
            TALLY.set(tally)
            # The customer may hang up; the work goes on, as it would behind any proxy.
            slowdown = 1.0 if effect is None else effect.slowdown
            work = self._world.task(self._work(asked, tally, slowdown))
            response = await asyncio.shield(work)
            self._world.timings.request(op, at, time.perf_counter() - started, tally)
            code = answered(response.status, response.body).code
            self._keep(at, op, namespace, response.status, code, asked.body, response.body)
            reply = json_response(response.body, response.status, response.headers)
            if effect is not None:
                return await self._struck(request, reply, code, effect)
            return reply, code

        return answer

    def _said_by_customer(self, request: web.Request) -> tuple[str, str]:
        """The namespace that a request asks for, and the customer it says it is from (empty if it
        does not), where that is for customers to say. Raises Problem."""
        if self._service.settings.customer_headers:
            return namespace_of(request), customer_of(request)
        if NAMESPACE_HEADER in request.headers:
            raise Problem(
                403,
                "CUSTOMER_HEADERS_OFF",
                f"customers choose no namespace here; leave {NAMESPACE_HEADER} out, or start the"
                " server with --allow-customer-headers",
                field=NAMESPACE_HEADER,
            )
        return DEFAULT_NAMESPACE, ""

    async def _struck(
        self, request: web.Request, reply: web.Response, code: str, effect: Effect
    ) -> tuple[web.StreamResponse, str]:
        """The answer to work that was done, as a fault leaves it."""
        await asyncio.sleep(answer_delay(effect, reply.body))
        if effect.status:
            return json_response(refusal(effect), effect.status), effect.code
        if effect.transport != "ok":
            await self._break(request, effect.transport)
        if effect.manner != "whole" or effect.hold > 0:
            return await spoiled(request, reply, effect.manner, effect.hold), code
        return reply, code

    async def _work(self, asked: LenderRequest, tally: Tally, slowdown: float) -> LenderResponse:
        if not self._front.enter():
            return self._lender.shed()
        asked.arrived_at = self._world.now()
        waiting = time.perf_counter()
        try:
            async with self._workers:
                tally.lines += time.perf_counter() - waiting
                began = time.perf_counter()
                response = await self._lender.handle(asked)
                if slowdown > 1:
                    await asyncio.sleep((slowdown - 1) * (time.perf_counter() - began))
                return response
        finally:
            self._front.leave()

    async def _break(self, request: web.Request, transport: str) -> None:
        if transport == "hang":
            await hang(request, self._service.closing)
        else:
            reset(request)
        raise ConnectionCut(transport.upper())

    def _keep(
        self,
        at: float,
        op: str,
        namespace: str,
        status: int,
        code: str,
        body: dict[str, Any],
        answer: dict[str, Any],
    ) -> None:
        journal = self._service.journal
        if journal.size:
            journal.add(at, op, namespace, status, code, body, answer)

    # ── callbacks ───────────────────────────────────────────────────────────────────────────────

    def _callback(self, op: str) -> Handler:
        async def answer(request: web.Request) -> tuple[web.Response, str]:
            namespace = namespace_of(request)
            content = await read_body(request)
            at = self._world.now()  # a clock that is wrong refuses callbacks, as in real life
            if not verify(self._key, request.headers, content, at):
                raise Problem(401, "BAD_SIGNATURE", "the callback's signature does not verify")
            body = parse_object(content)
            if read_callback(op, body) is None:
                raise Problem(400, "INVALID_CALLBACK", "the callback's fields do not fit")
            NAMESPACE.set(namespace)
            accepted = await asyncio.shield(self._world.task(self._lender.callback(op, body)))
            code = "OK" if accepted else "NOT_ACCEPTED"
            self._keep(at, op, namespace, 200 if accepted else 409, code, body, {})
            if not accepted:
                later = "this callback is not for a call of ours; send it later"
                return Problem(409, code, later).response(), code
            return web.Response(text="success"), code

        return answer

    async def _reason_not_ready(self) -> str:
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                return await self._world.store_watch.reason_not_ready()
        except StoreUnavailable as error:
            return error.reason
        except TimeoutError:
            return "the database does not answer"

    # ── what the admin API acts on ──────────────────────────────────────────────────────────────

    def put_fault(self, namespace: str, fault: Fault) -> None:
        """Set a fault from now on. Raises Problem."""
        whole = closes_port(fault) or fault.where == "standing"
        if whole and namespace != DEFAULT_NAMESPACE:
            raise Problem(
                400,
                "INVALID_FAULT",
                f"{fault.kind} strikes every namespace; send it without the namespace header",
            )
        self._edge.put(namespace, fault, self._service.clock.now())
        if namespace == DEFAULT_NAMESPACE:
            self._port_faults.drop(fault.label)
        if closes_port(fault):
            self._port_faults.put(fault)

    def faults(self, namespace: str) -> list[Listed]:
        """Each fault that is set, its times in epoch seconds."""
        listed = self._edge.listed(namespace, self._service.clock.now())
        return self._port_faults.counted(listed) if namespace == DEFAULT_NAMESPACE else listed

    def namespaces(self) -> list[tuple[str, float, int]]:
        """Each namespace that has had faults, when it was used last, and how many it has."""
        return self._edge.namespaces()

    def clear_faults(self, namespace: str, label: str | None) -> int:
        """Remove the fault called `label`, or all; returns how many went."""
        if namespace == DEFAULT_NAMESPACE:
            self._port_faults.drop(label)
        return self._edge.clear(namespace, label)

    def reset(self, namespace: str) -> None:
        """Forget the faults of one namespace. Bindings stay: the database is the lender's truth."""
        if namespace == DEFAULT_NAMESPACE:
            self._port_faults.drop(None)
        self._edge.reset(namespace)

    def _strike_call(self, gateway: str, op: str, payload: dict[str, Any]) -> Effect | None:
        now = self._service.clock.now()
        return self._edge.strike_call(NAMESPACE.get(), gateway, op, payload, now)


async def _lender_request(op: str, request: web.Request) -> LenderRequest:
    path = dict(request.match_info)
    if not all(_IDENTIFIER.fullmatch(part) for part in path.values()):
        raise Problem(404, ErrorCode.NOT_FOUND, "there is no such identifier")
    key = request.headers.get("Idempotency-Key", "")
    if key and _KEY.fullmatch(key) is None:
        raise Problem(
            400,
            ErrorCode.INVALID_FIELD,
            "Idempotency-Key takes 1 to 255 printable ASCII characters without spaces",
            field="Idempotency-Key",
        )
    if op == "documents":
        body = await read_upload(request)
    elif request.method == "GET":
        body = {}
    else:
        content = await read_body(request)
        if b"\\u0000" in content:
            # PostgreSQL cannot store it.
            raise Problem(400, ErrorCode.INVALID_FIELD, "the body holds a NUL character")
        body = parse_object(content, may_be_empty=True)
    return LenderRequest(op, body, path, key)
