"""Callbacks as a lender of one's own receives them."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from served import PERSON, Servers, eventually

from loadtests.reading import read_movements
from mocks.payment.settlement import CHINA
from mocks.server.options import ServeOptions
from mocks.signing import sign, verify
from scenarios.addresses import AddressProblem, is_loopback_url

KEY = b"a key of our own"
CHARGE = {"order_no": "pay-1", "agreement_no": "12345678901234567800", "amount_fen": 1}
SMS = {"phone": PERSON["phone"], "text": "hello", "out_id": "out-1"}


class Receiver:
    """A lender that takes callbacks. `answer` gives status and body for the n-th one, from 0."""

    def __init__(self, answer: Callable[[int], tuple[int, bytes]]) -> None:
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, reply = answer(len(receiver.taken))
                receiver.taken.append((self.path, dict(self.headers), body))
                self.send_response(status)
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def attempts(self) -> list[int]:
        return [json.loads(body)["attempt"] for _, _, body in self.taken]


@pytest.fixture
def receive() -> Iterator[Callable[..., Receiver]]:
    receivers: list[Receiver] = []

    def make(answer: Callable[[int], tuple[int, bytes]] = lambda _: (200, b"success")) -> Receiver:
        receivers.append(Receiver(answer))
        return receivers[-1]

    yield make
    for receiver in receivers:
        receiver.server.shutdown()
        receiver.server.server_close()


def gateway(serve: Callable[..., Servers], name: str, receiver: Receiver) -> Servers:
    return serve(name, callback_url=receiver.url, signing_key=KEY.decode())


def test_a_notification_is_signed_and_comes_once_when_acknowledged(serve, receive) -> None:
    receiver = receive()
    servers = gateway(serve, "payment", receiver)
    servers.post("payment", "/v1/charge", CHARGE)
    other = {**CHARGE, "order_no": "pay-2"}
    eventually(lambda: receiver.taken)
    servers.post("payment", "/v1/charge", other)
    eventually(lambda: len(receiver.taken) == 2)
    path, headers, body = receiver.taken[0]
    signed_at = int(headers["X-Bindrill-Timestamp"])
    assert path == "/v1/callbacks/payment"
    assert verify(KEY, headers, body, signed_at)
    assert not verify(KEY, headers, body + b" ", signed_at)
    assert (json.loads(body)["order_no"], json.loads(body)["trade_state"]) == ("pay-1", "SUCCESS")
    assert receiver.attempts == [1, 1]


@pytest.mark.parametrize("refusal", [(500, b"success"), (200, b"what?"), (302, b"success")])
def test_a_notification_is_repeated_until_the_body_says_success(serve, receive, refusal) -> None:
    receiver = receive(lambda n: refusal if n < 2 else (200, b"success"))
    gateway(serve, "payment", receiver).post("payment", "/v1/charge", CHARGE)
    eventually(lambda: receiver.attempts == [1, 2, 3])
    ids = {json.loads(body)["notify_id"] for _, _, body in receiver.taken}
    assert len(ids) == 1


def test_a_lost_callback_is_sent_again_on_schedule(serve, receive) -> None:
    receiver = receive()
    servers = gateway(serve, "payment", receiver)
    servers.fault("payment", kind="lost-callback", first=1)
    servers.post("payment", "/v1/charge", CHARGE)
    eventually(lambda: receiver.attempts == [2])


def test_a_delivery_report_needs_no_particular_body(serve, receive) -> None:
    receiver = receive(lambda _: (204, b""))
    servers = gateway(serve, "sms", receiver)
    servers.post("sms", "/v1/send", SMS)
    eventually(lambda: receiver.taken)
    path, headers, body = receiver.taken[0]
    assert path == "/v1/callbacks/sms"
    assert verify(KEY, headers, body, int(headers["X-Bindrill-Timestamp"]))
    assert json.loads(body)["status"] == "DELIVRD"


def test_callbacks_carry_their_namespace(serve, receive) -> None:
    receiver = receive()
    servers = gateway(serve, "payment", receiver)
    servers.post("payment", "/v1/charge", CHARGE, X_Bindrill_Namespace="team-a")
    eventually(lambda: receiver.taken)
    assert receiver.taken[0][1]["X-Bindrill-Namespace"] == "team-a"


def test_reset_drops_the_callbacks_of_one_namespace(serve, receive) -> None:
    receiver = receive(lambda n: (500, b""))
    servers = gateway(serve, "payment", receiver)
    space = {"X_Bindrill_Namespace": "dropped"}
    servers.fault("payment", kind="lost-callback", namespace="dropped")
    servers.post("payment", "/v1/charge", CHARGE, **space)
    servers.post("payment", "/__admin/reset", **space)
    servers.post("payment", "/v1/charge", CHARGE)
    eventually(lambda: len(receiver.taken) >= 2)
    assert all("X-Bindrill-Namespace" not in headers for _, headers, _ in receiver.taken)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((404, b""), "answered 404"),
        ((302, b"success"), "answered 302"),
        ((200, b"what?"), "answered 200 without the body success"),
    ],
)
def test_why_a_callback_was_not_taken_is_logged_once(serve, receive, answer, why: str) -> None:
    receiver = receive(lambda _: answer)
    servers = gateway(serve, "payment", receiver)
    for number in (1, 2):
        servers.post("payment", "/v1/charge", {**CHARGE, "order_no": f"pay-{number}"})
    eventually(lambda: len(receiver.taken) >= 6)
    assert [line["why"] for line in unacknowledged(servers)] == [why]


@pytest.mark.parametrize(
    ("callback_url", "why"),
    [
        ("http://127.0.0.1:1", "connection refused"),
        ("http://no-such-host.invalid:1", "its host cannot be found"),
        (None, "there is nobody to call back"),
    ],
)
def test_a_callback_that_reaches_nobody_says_why(serve, callback_url, why: str) -> None:
    servers = serve("sms", callback_url=callback_url)
    servers.post("sms", "/v1/send", SMS)
    [line] = eventually(lambda: unacknowledged(servers))
    assert line["op"] == "sms_report"
    assert why in line["why"]


def unacknowledged(servers: Servers) -> list[dict[str, Any]]:
    lines = map(json.loads, servers.log_file.read_text().splitlines())
    return [line for line in lines if line["event"] == "callback_unacknowledged"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"callback_url": "127.0.0.1:9"},
            "--callback-url 127.0.0.1:9 is not a URL; write http://127.0.0.1:9",
        ),
        ({"callback_url": "http://[::1"}, "--callback-url"),
        ({"gateways": {"bank": "bank.example:80"}}, "gateways: bank"),
        ({"host": "http://127.0.0.1"}, "--host"),
    ],
)
def test_addresses_that_are_none_are_refused_before_anything_starts(options, words: str) -> None:
    with pytest.raises(AddressProblem, match=re.escape(words)):
        ServeOptions(ports={"sms": 0}, **options).check()


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:9000/x", True),
        ("http://localhost/x", True),
        ("http://[::1]:9000/x", True),
        ("http://192.0.2.1/x", False),
        ("http://127.0.0.1.example.org/x", False),
        ("http://127.0.0.1@example.org/x", False),
        ("file:///etc/passwd", False),
        ("http://[broken", False),
    ],
)
def test_only_loopback_addresses_count_as_loopback(url: str, allowed: bool) -> None:
    assert is_loopback_url(url) is allowed


# ── the lender's end ────────────────────────────────────────────────────────────────────────────


def test_the_lender_refuses_a_callback_that_is_not_signed_by_the_gateway(serve) -> None:
    servers = serve()
    body = json.dumps({"order_no": "x", "trade_state": "SUCCESS", "amount_fen": 1}).encode()
    unsigned = servers.post("lender", "/v1/callbacks/payment", body)
    assert (unsigned.status, unsigned.error["code"]) == (401, "BAD_SIGNATURE")
    now = datetime.now(tz=CHINA).timestamp()
    for key, at in ((b"another key", now), (b"bindrill-loopback-only", now - 3600)):
        headers = sign(key, body, at)
        assert servers.post("lender", "/v1/callbacks/payment", body, **headers).status == 401
    genuine = sign(b"bindrill-loopback-only", body, now)
    unknown = servers.post("lender", "/v1/callbacks/payment", body, **genuine)
    assert (unknown.status, unknown.error["code"]) == (409, "NOT_ACCEPTED")


def test_a_charge_whose_answer_is_lost_becomes_active_by_its_notification(serve) -> None:
    servers = serve()
    binding = servers.confirmed()
    consent = {
        "terms_version": "2026-01",
        "consents": ["card_binding", "identity_check", "direct_debit"],
    }
    servers.post("lender", f"/v1/bindings/{binding}/agreement", consent)
    lost = {"kind": "outage", "mode": "reset", "processed": True, "first": 1, "ops": ["charge"]}
    servers.fault("payment", **lost)
    servers.fault("payment", kind="outage", mode="503", ops=["query"], name="no queries")
    servers.post("lender", f"/v1/bindings/{binding}/test-payment")

    def active() -> bool:
        return servers.get("lender", f"/v1/bindings/{binding}").json["state"] == "ACTIVE"

    eventually(active)
    accepted = [
        entry
        for entry in servers.get("lender", "/__admin/requests?op=payment_notify").json["requests"]
        if entry["code"] == "OK"
    ]
    assert accepted


def test_the_settlement_file_of_the_day_shows_charge_and_refund(serve) -> None:
    servers = serve()
    servers.activated()
    days = {str(datetime.now(tz=CHINA).date())}

    def lines() -> list[str]:
        days.add(str(datetime.now(tz=CHINA).date()))
        text = ""
        for day in sorted(days):
            reply = servers.get("payment", f"/v1/settlement/{day}")
            assert reply.headers["Content-Type"].startswith("text/csv")
            text += reply.body.decode()
        return [line for line in text.splitlines() if ",SUCCESS," in line]

    eventually(lambda: len(lines()) == 2)
    assert [line.split(",")[2:4] for line in lines()] == [["charge", "1"], ["refund", "1"]]
    empty = servers.get("payment", "/v1/settlement/2001-01-01").body.decode().splitlines()
    assert [line.split(",")[0] for line in empty] == ["order_no", "TOTAL"]
    for bad in ("today", "2026-13-01", "0001-01-01", "9999-12-31"):
        reply = servers.get("payment", f"/v1/settlement/{bad}")
        assert reply.status in (200, 400), bad


def test_order_numbers_are_text_in_the_settlement_file_and_read_back(serve) -> None:
    servers = serve()
    numbers = [
        "=cmd|' /C calc'!A0",
        "+1",
        "@x",
        "-2",
        "\t1",
        "TOTAL",
        "1\nTOTAL,,charge 9 refund 9",
    ]
    for number in numbers:
        assert servers.post("payment", "/v1/charge", CHARGE | {"order_no": number}).status == 200
    day = datetime.now(tz=CHINA).date()
    lines = servers.get("payment", f"/v1/settlement/{day}").body.decode().splitlines()
    assert [line.startswith("TOTAL") for line in lines[-2:]] == [False, True]
    assert not any(line.startswith(("=", "+", "-", "@", "\t", "TOTAL")) for line in lines[:-1])
    movements = read_movements(servers.urls["payment"], time.time())
    assert sorted(row.order_no for row in movements) == sorted(numbers)
