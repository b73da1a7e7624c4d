"""The admin API below /__admin: faults, the journal, resets, and feeds to follow."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from aiohttp import web
from pydantic import ValidationError

from mocks.fault_timeline import Listed
from mocks.gateway import MAX_NAMESPACES
from mocks.server.app import Handler, Service
from mocks.server.ring import Ring
from mocks.server.wire import Problem, json_response, namespace_of, parse_json, read_body
from scenarios.faults import FAULT_KINDS, Fault, parse_fault

T = TypeVar("T")

_MENDS = {
    "customer": "customers' side is applied by a run; write an outage with target: lender",
    "stack": "a server does not end itself; faults of processes belong in a scenario that is run",
}
ROOT = "/__admin"


class Subject(Protocol):
    """What the admin API of one service acts on."""

    @property
    def name(self) -> str:
        """The fault target it is: bank, sms, payment or lender."""

    def put_fault(self, namespace: str, fault: Fault) -> None:
        """Set a fault whose window counts from now. Raises Problem."""

    def faults(self, namespace: str) -> list[Listed]:
        """Each fault that is set, its times in epoch seconds."""

    def clear_faults(self, namespace: str, label: str | None) -> int:
        """Remove the fault called `label`, or all; returns how many went."""

    def namespaces(self) -> list[tuple[str, float, int]]:
        """Each namespace, when it was used last (epoch seconds), and how many faults it has."""

    def reset(self, namespace: str) -> None:
        """Forget one namespace."""


class Admin:
    """Adds the admin API to a service."""

    def __init__(self, service: Service, subject: Subject, document: dict[str, Any]) -> None:
        self._service = service
        self._subject = subject
        self._document = document
        for method, path, handler in (
            ("GET", "/faults", self._list_faults),
            ("PUT", "/faults", self._put_faults),
            ("POST", "/faults", self._put_faults),
            ("DELETE", "/faults", self._clear_faults),
            ("DELETE", "/faults/{label}", self._clear_faults),
            ("GET", "/namespaces", self._namespaces),
            ("GET", "/requests", self._journal),
            ("DELETE", "/requests", self._clear_journal),
            ("POST", "/reset", self._reset),
            ("GET", "/openapi.json", self._openapi),
        ):
            self._route(method, path, handler)

    def feed(self, path: str, key: str, ring: Ring[T], row: Callable[[T], Any]) -> None:
        """`GET path?after=N` answers `{"next": M, key: [row, ...]}`: what came since position N,
        and the position to ask from next time."""

        async def read(request: web.Request) -> tuple[web.Response, str]:
            after = _whole_number(request, "after", 0, 0, 2**62)
            position, items = ring.since(after)
            return json_response({"next": position, key: [row(item) for item in items]}), "OK"

        self._route("GET", path, read)

    # ── access ──────────────────────────────────────────────────────────────────────────────────

    def _route(self, method: str, path: str, handler: Handler) -> None:
        async def guarded(request: web.Request) -> tuple[web.StreamResponse, str]:
            self._admit(request)
            return await handler(request)

        self._service.admin_route(method, ROOT + path, guarded)

    def _admit(self, request: web.Request) -> None:
        settings = self._service.settings
        if not settings.admin:
            raise Problem(
                403,
                "ADMIN_OFF",
                "the admin API is off on a host that is not loopback; start with --admin-token",
            )
        if settings.admin_token is not None:
            given = request.headers.get("Authorization", "").encode(errors="surrogateescape")
            wanted = f"Bearer {settings.admin_token}".encode(errors="surrogateescape")
            if not hmac.compare_digest(given, wanted):
                raise Problem(
                    401,
                    "UNAUTHORISED",
                    "send the admin token as Authorization: Bearer TOKEN",
                    headers={"WWW-Authenticate": "Bearer"},
                )

    # ── faults ──────────────────────────────────────────────────────────────────────────────────

    async def _list_faults(self, request: web.Request) -> tuple[web.Response, str]:
        return self._listing(namespace_of(request)), "OK"

    async def _put_faults(self, request: web.Request) -> tuple[web.Response, str]:
        namespace = namespace_of(request)
        records = parse_json(await read_body(request))
        several = isinstance(records, list)
        faults = [
            part
            for at, record in enumerate(records if several else [records])
            for part in self._parts(record, f"[{at}]." if several else "")
        ]
        for fault in faults:
            self._subject.put_fault(namespace, fault)
            self._service.log.info("fault_set", label=fault.label, namespace=namespace)
        return self._listing(namespace), "OK"

    async def _clear_faults(self, request: web.Request) -> tuple[web.Response, str]:
        namespace = namespace_of(request)
        label = request.match_info.get("label")
        gone = self._subject.clear_faults(namespace, label)
        if label is not None and not gone:
            raise Problem(404, "NOT_FOUND", "no fault of this label; GET /__admin/faults lists all")
        self._service.log.info("faults_cleared", count=gone, namespace=namespace)
        return json_response({"cleared": gone}), "OK"

    def _parts(self, record: Any, place: str) -> list[Fault]:
        """What of the record is this service's to apply. Raises Problem when nothing is."""
        try:
            fault = parse_fault(record)
        except ValidationError as error:
            raise _bad_fault(error, place) from None
        parts = [part for part in fault.parts() if part.host == self._subject.name]
        if not parts:
            raise Problem(
                400,
                "INVALID_FAULT",
                f"{place}target is {fault.target}, but this is {self._subject.name};"
                f" {_MENDS.get(fault.host) or self._other_host(fault)}",
                field=f"{place}target",
            )
        return parts

    def _other_host(self, fault: Fault) -> str:
        if fault.where == "calls":
            return f"send it to {fault.host}, which makes these calls"
        return f"write target: {self._subject.name}, or send it to {fault.host}"

    def _listing(self, namespace: str) -> web.Response:
        return json_response(
            {
                "faults": [
                    {
                        "label": fault.label,
                        "set_at": set_at,
                        "in_force": in_force,
                        "struck": struck,
                        "fault": fault.model_dump(mode="json"),
                    }
                    for fault, set_at, in_force, struck in self._subject.faults(namespace)
                ]
            }
        )

    # ── namespaces, journal, document ───────────────────────────────────────────────────────────

    async def _namespaces(self, _: web.Request) -> tuple[web.Response, str]:
        lately = sorted(self._subject.namespaces(), key=lambda row: row[1], reverse=True)
        rows = [
            {"namespace": name, "used_at": used_at, "faults": faults}
            for name, used_at, faults in lately
        ]
        return json_response({"most": MAX_NAMESPACES, "namespaces": rows}), "OK"

    async def _journal(self, request: web.Request) -> tuple[web.Response, str]:
        journal = self._service.journal
        limit = _whole_number(request, "limit", 100, 1, 1_000_000)
        query = request.query
        entries = journal.newest(limit, query.get("op"), query.get("namespace"))
        return json_response({"size": journal.size, "requests": entries}), "OK"

    async def _clear_journal(self, request: web.Request) -> tuple[web.Response, str]:
        namespace = request.query.get("namespace")
        return json_response({"cleared": self._service.journal.clear(namespace)}), "OK"

    async def _reset(self, request: web.Request) -> tuple[web.Response, str]:
        namespace = namespace_of(request)
        self._subject.reset(namespace)
        self._service.journal.clear(namespace)
        self._service.log.info("reset", namespace=namespace)
        return json_response({"reset": namespace}), "OK"

    async def _openapi(self, _: web.Request) -> tuple[web.Response, str]:
        return json_response(self._document), "OK"


def _whole_number(request: web.Request, name: str, default: int, least: int, most: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
    if not least <= number <= most:
        raise Problem(
            400, "INVALID_PARAMETER", f"{name} takes a whole number from {least} on", field=name
        )
    return number


def _bad_fault(error: ValidationError, place: str) -> Problem:
    first = error.errors(include_url=False, include_input=False)[0]
    kinds = ", ".join(FAULT_KINDS)
    path = [str(part) for part in first["loc"]]
    kind = path.pop(0) if path and path[0] in FAULT_KINDS else ""
    field = ".".join(path)
    if first["type"] in ("union_tag_not_found", "union_tag_invalid"):
        field, mend = "kind", f"must be one of {kinds}"
    elif first["type"] == "model_attributes_type":
        field, mend = "fault", "must be an object with a kind"
    elif first["type"] == "missing":
        mend = f"is missing; a fault of kind {kind} needs it"
    elif first["type"] == "extra_forbidden":
        mend = f"is unknown; kind {kind} takes {', '.join(FAULT_KINDS[kind].model_fields)}"
    else:
        message = first["msg"].removeprefix("Value error, ")
        mend = message[:1].lower() + message[1:]
    where = f"{place}{field}" if field else place.rstrip(".")
    return Problem(400, "INVALID_FAULT", f"{where}: {mend}".lstrip(": "), field=where)
