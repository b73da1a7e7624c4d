"""Real servers for tests: a stack in a thread of its own, and a plain HTTP client."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop

from mocks.server.options import SERVICES, ServeOptions
from mocks.server.serve import Stack

PERSON = {"name": "全渠道", "id_number": "341126197709218366", "phone": "19900000012"}
"""UnionPay's sandbox person; the phone's messages arrive at once."""
CARD = "6216261000000000018"
JPEG = b"\xff\xd8\xff" + bytes(60_000)
CONSENT = {
    "terms_version": "2026-01",
    "consents": ["card_binding", "identity_check", "direct_debit"],
}
# Nothing takes time that a test would have to wait for.
WORLD = """
name: quick
duration: 10s
arrivals: {kind: constant, rate: 1/s}
world:
  bank: {latency: {open: 0s, query: 0s}, decline: {}}
  sms: {latency: {send: 0s}, carrier: {delay: 0s, loss: 0%, duplicate: 0%}}
  payment:
    latency: {charge: 0s, refund: 0s, query: 0s}
    decline: 0%
    notifications: {schedule: alipay, speedup: 5000, delay: 0s}
lender: {outbox_interval: 200ms}
"""


class Reply:
    """An HTTP answer."""

    def __init__(self, status: int, headers: http.client.HTTPMessage, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, str]:
        return self.json["error"]


class Servers:
    """A running stack. `folder` holds database, keys and log, so that another can follow on."""

    def __init__(self, folder: Path, services: tuple[str, ...] = SERVICES, **options: Any) -> None:
        scenario = folder / "quick.yaml"
        scenario.write_text(options.pop("world", WORLD), encoding="utf-8")
        self.log_file = folder / "log.jsonl"
        self._options = ServeOptions(
            ports=options.pop("ports", dict.fromkeys(services, 0)),
            scenario=str(scenario),
            database=f"sqlite:///{folder / 'lender.db'}",
            key_ring=folder / "keys.json",
            log_file=self.log_file,
            **options,
        )
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.stack = self._run(self._make())
        self.urls: dict[str, str] = {}

    def start(self) -> Servers:
        try:
            self._run(self.stack.start())
        except BaseException:
            self._end_loop()
            raise
        self.urls = self.stack.urls
        return self

    def stop(self) -> None:
        if self._loop.is_closed():
            return
        self._run(self.stack.stop())
        self._end_loop()

    def __enter__(self) -> Servers:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def address(self, service: str) -> tuple[str, int]:
        parts = urlsplit(self.urls[service])
        return parts.hostname or "", parts.port or 0

    def call(
        self,
        service: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        timeout: float = 20,
        **headers: str,
    ) -> Reply:
        """One request on a connection of its own; underscores in header names are hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            named.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(*self.address(service), timeout=timeout)
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def post(self, service: str, path: str, body: Any = None, **headers: str) -> Reply:
        return self.call(service, "POST", path, body, **headers)

    def get(self, service: str, path: str, **headers: str) -> Reply:
        return self.call(service, "GET", path, **headers)

    def fault(self, service: str, **record: Any) -> Reply:
        namespace = record.pop("namespace", "default")
        record = {"target": service, **record}
        return self.call(service, "PUT", "/__admin/faults", record, X_Bindrill_Namespace=namespace)

    # ── a binding, step by step ─────────────────────────────────────────────────────────────────

    def register(self, person: dict[str, str] = PERSON, **headers: str) -> str:
        applicant: str = self.post("lender", "/v1/applicants", person, **headers).json[
            "applicant_id"
        ]
        for kind in ("id_card_front", "id_card_back", "bank_card"):
            assert self.upload(applicant, kind=kind).status == 201
        return applicant

    def upload(self, applicant: str, kind: str = "bank_card", picture: bytes = JPEG) -> Reply:
        body, content_type = form(kind=kind.encode(), file=picture)
        return self.post(
            "lender", f"/v1/applicants/{applicant}/documents", body, Content_Type=content_type
        )

    def submit(
        self,
        applicant: str,
        card: str = CARD,
        person: dict[str, str] = PERSON,
        key: str = "",
        **headers: str,
    ) -> Reply:
        body = {
            "applicant_id": applicant,
            "card_number": card,
            "holder": person["name"],
            "id_number": person["id_number"],
            "phone": person["phone"],
        }
        key = key or f"submit-{applicant}-{card}"
        return self.post("lender", "/v1/bindings", body, Idempotency_Key=key, **headers)

    def read_code(self, phone: str = PERSON["phone"], seen: int = 0, **headers: str) -> str:
        question = {"phone": phone, "seen": seen, "wait": 20}
        text = self.post("sms", "/handset/inbox", question, **headers).json["text"]
        return text.partition("验证码")[2][:6]

    def confirmed(self) -> str:
        """A binding whose card the bank has signed."""
        binding: str = self.submit(self.register()).json["binding_id"]
        reply = self.post("lender", f"/v1/bindings/{binding}/confirm", {"otp": self.read_code()})
        assert reply.status == 200, reply.body
        return binding

    def activated(self) -> str:
        """A binding that became ACTIVE."""
        binding = self.confirmed()
        assert self.post("lender", f"/v1/bindings/{binding}/agreement", CONSENT).status == 200
        paid = self.post("lender", f"/v1/bindings/{binding}/test-payment")
        assert paid.json["state"] == "ACTIVE", paid.body
        return binding

    def open_card(self, order_no: str, card: str = CARD, **headers: str) -> Reply:
        """Open a card at the bank, without the lender."""
        elements = {"holder": PERSON["name"], "id_number": PERSON["id_number"]}
        body = {"order_no": order_no, "card_number": card, "phone": PERSON["phone"], **elements}
        return self.post("bank", "/v1/open", body, **headers)

    async def _make(self) -> Stack:
        return Stack(self._options)

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def form(**fields: bytes) -> tuple[bytes, str]:
    """A multipart form and its content type."""
    parts = []
    for name, content in fields.items():
        filename = '; filename="picture"' if name == "file" else ""
        head = f'--frontier\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'
        parts.append(head.encode() + content + b"\r\n")
    return b"".join(parts) + b"--frontier--\r\n", "multipart/form-data; boundary=frontier"


def eventually(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """The first true value of `condition`, asked again and again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError("it did not happen")


def is_closed(address: tuple[str, int]) -> bool:
    """Whether a connection to `address` is refused."""
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex(address) != 0
