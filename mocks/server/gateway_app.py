"""A gateway model behind a real port."""

from __future__ import annotations

import asyncio
import re
from datetime import date
from typing import Any

from aiohttp import web

from mocks.bank.agreements import agreement_csv
from mocks.bank.model import BankGateway
from mocks.daily_log import day_bounds
from mocks.fault_timeline import Listed
from mocks.gateway import Gateway
from mocks.messages import DEFAULT_NAMESPACE, Call, CallRecord, Reply
from mocks.payment.model import PaymentGateway
from mocks.payment.settlement import settlement_csv
from mocks.server.admin import Admin
from mocks.server.app import Handler, Service
from mocks.server.callbacks import Callbacks
from mocks.server.connections import hang, reset, spoiled
from mocks.server.follow_ups import FollowUps
from mocks.server.listener import Listener
from mocks.server.port_faults import PortFaults, closes_port
from mocks.server.ring import Ring
from mocks.server.wire import (
    ConnectionCut,
    Problem,
    json_response,
    namespace_of,
    read_object,
)
from mocks.sms.model import SmsGateway
from scenarios.faults import Fault

CALLS_KEPT = 100_000
"""Calls that `/__admin/calls` still knows."""

LONGEST_POLL = 60.0
"""Seconds that a reader may wait at a handset."""

_PHONE = re.compile(r"[0-9]{11}")
_MOST_SEEN = 2**53


class CallFeed:
    """Calls as a gateway counted them, for `/__admin/calls`."""

    def __init__(self) -> None:
        self.ring: Ring[CallRecord] = Ring(CALLS_KEPT)

    def __call__(self, record: CallRecord) -> None:
        self.ring.append(record)


def call_row(record: CallRecord) -> list[Any]:
    """`[at (epoch seconds), gateway, op, issuer, code, status, delay (seconds; null for a hang),
    transport]`."""
    delay = None if record.transport == "hang" else record.delay
    return [
        *(record.at, record.gateway, record.op, record.issuer, record.code, record.status),
        *(delay, record.transport),
    ]


class GatewayService:
    """The routes of one gateway: its operations, its own extras, and the admin API."""

    def __init__(
        self,
        service: Service,
        gateway: Gateway[Any],
        callbacks: Callbacks,
        listener: Listener,
        calls: CallFeed,
        admin_document: dict[str, Any],
    ) -> None:
        self.name = gateway.name
        self._service = service
        self._gateway = gateway
        self._follow_ups = FollowUps(gateway, callbacks, service.clock, service.log)
        gateway.on_forgotten = self._follow_ups.forget
        service.on_closing.append(self._follow_ups.wake_all)
        self._port_faults = PortFaults(listener, service.clock, service.log)
        for op, path in gateway.operations.items():
            service.route("POST", path, op, self._operation(op))
        if isinstance(gateway, SmsGateway):
            service.route("POST", "/handset/inbox", "inbox", self._inbox(gateway))
        if isinstance(gateway, BankGateway):
            gateway.keep_agreements()
            service.route("GET", "/v1/agreements/{day}", "agreements", self._agreements(gateway))
        if isinstance(gateway, PaymentGateway):
            service.route("GET", "/v1/settlement/{day}", "settlement", self._settlement(gateway))
        Admin(service, self, admin_document).feed("/calls", "calls", calls.ring, call_row)

    async def close(self) -> None:
        """Drop what is pending."""
        await self._port_faults.close()
        await self._follow_ups.close()

    # ── operations ──────────────────────────────────────────────────────────────────────────────

    def _operation(self, op: str) -> Handler:
        service, gateway = self._service, self._gateway
        journal, now_of = service.journal, service.clock.now
        carry_out, handle = self._follow_ups.carry_out, gateway.handle

        async def answer(request: web.Request) -> tuple[web.StreamResponse, str]:
            namespace = namespace_of(request)
            payload = await read_object(request)
            now = now_of()
            reply, follow_ups = handle(Call(op, payload, namespace), now)
            if follow_ups:
                carry_out(follow_ups)
            if journal.size:
                status = reply.status if reply.transport == "ok" else 0
                journal.add(now, op, namespace, status, reply.code, payload, reply.body)
            if reply.transport != "ok":
                await self._break(request, reply)
            if reply.delay > 0:
                await asyncio.sleep(reply.delay)
            response = json_response(reply.body, reply.status)
            if reply.manner != "whole" or reply.hold > 0:
                return await spoiled(request, response, reply.manner, reply.hold), reply.code
            return response, reply.code

        return answer

    async def _break(self, request: web.Request, reply: Reply) -> None:
        if reply.transport == "hang":
            await hang(request, self._service.closing)
        else:
            if reply.delay > 0:
                await asyncio.sleep(reply.delay)
            reset(request)
        raise ConnectionCut(reply.code)

    # ── extras ──────────────────────────────────────────────────────────────────────────────────

    def _inbox(self, sms: SmsGateway) -> Handler:
        async def read(request: web.Request) -> tuple[web.Response, str]:
            namespace = namespace_of(request)
            phone, seen, wait = _inbox_question(await read_object(request))
            message = sms.newest(namespace, phone, seen)
            if message is None and wait > 0 and not self._service.closing.is_set():
                await self._follow_ups.arrival(namespace, phone, wait)
                message = sms.newest(namespace, phone, seen)
            if message is None:
                return web.Response(status=204), "NONE"
            return json_response(message), "OK"

        return read

    def _settlement(self, payment: PaymentGateway) -> Handler:
        async def read(request: web.Request) -> tuple[web.Response, str]:
            namespace = namespace_of(request)
            rows = payment.settlement(namespace, *_day_asked(request))
            return _csv(settlement_csv(rows)), "OK"

        return read

    def _agreements(self, bank: BankGateway) -> Handler:
        async def read(request: web.Request) -> tuple[web.Response, str]:
            namespace = namespace_of(request)
            start, end = _day_asked(request)
            # An opening that is not settled yet may be entered with a moment to come.
            rows = bank.agreements(namespace, start, min(end, self._service.clock.now()))
            return _csv(agreement_csv(rows)), "OK"

        return read

    # ── what the admin API acts on ──────────────────────────────────────────────────────────────

    def put_fault(self, namespace: str, fault: Fault) -> None:
        """Set a fault from now on. Raises Problem."""
        if closes_port(fault) and namespace != DEFAULT_NAMESPACE:
            raise Problem(
                400,
                "INVALID_FAULT",
                "mode: refuse closes the port for every namespace;"
                " write mode: reset, or send it without the namespace header",
                field="mode",
            )
        if refused := self._gateway.refuses(fault):
            raise Problem(400, "INVALID_FAULT", refused)
        self._gateway.put_fault(namespace, fault, self._service.clock.now())
        if namespace == DEFAULT_NAMESPACE:
            self._port_faults.drop(fault.label)
        if closes_port(fault):
            self._port_faults.put(fault)

    def faults(self, namespace: str) -> list[Listed]:
        """Each fault that is set, its times in epoch seconds."""
        space = self._gateway.known(namespace)
        listed = [] if space is None else space.faults.listed(self._service.clock.now())
        return self._port_faults.counted(listed) if namespace == DEFAULT_NAMESPACE else listed

    def namespaces(self) -> list[tuple[str, float, int]]:
        """Each namespace, when it was used last, and how many faults it has."""
        return [
            (name, space.used_at, len(space.faults)) for name, space in self._gateway.spaces.items()
        ]

    def clear_faults(self, namespace: str, label: str | None) -> int:
        """Remove the fault called `label`, or all; returns how many went."""
        if namespace == DEFAULT_NAMESPACE:
            self._port_faults.drop(label)
        space = self._gateway.known(namespace)
        return 0 if space is None else space.faults.clear(label)

    def reset(self, namespace: str) -> None:
        """Forget one namespace."""
        if namespace == DEFAULT_NAMESPACE:
            self._port_faults.drop(None)
        self._follow_ups.forget(namespace)
        self._gateway.reset(namespace)


def _day_asked(request: web.Request) -> tuple[float, float]:
    """Epoch seconds of the asked day's beginning and end in China, as in real files. Raises
    Problem."""
    try:
        return day_bounds(date.fromisoformat(request.match_info["day"]))
    except (ValueError, OverflowError):
        raise Problem(
            400, "INVALID_PARAMETER", "the day is not a date; write 2026-01-31", field="day"
        ) from None


def _csv(text: str) -> web.Response:
    return web.Response(text=text, headers={"Content-Type": "text/csv; charset=utf-8"})


def _inbox_question(payload: dict[str, Any]) -> tuple[str, int, float]:
    phone, seen, wait = payload.get("phone"), payload.get("seen", 0), payload.get("wait", 0)
    if not isinstance(phone, str) or _PHONE.fullmatch(phone) is None:
        raise Problem(400, "INVALID_FIELD", "phone takes 11 digits", field="phone")
    # JSON has one kind of number: 3.0 is a whole one.
    if not _is_number(seen) or not 0 <= seen <= _MOST_SEEN or seen != int(seen):
        raise Problem(400, "INVALID_FIELD", "seen takes a whole number from 0 on", field="seen")
    if not _is_number(wait) or not 0 <= wait <= LONGEST_POLL:
        raise Problem(
            400, "INVALID_FIELD", f"wait takes 0 to {LONGEST_POLL:g} seconds", field="wait"
        )
    return phone, int(seen), float(wait)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
