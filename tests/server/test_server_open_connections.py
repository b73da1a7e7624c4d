"""Connections that keep a server waiting, and more of them than there is room for."""

from __future__ import annotations

import json
import resource
import socket
from contextlib import ExitStack
from typing import Any

import pytest
from raw import Raw, request
from served import PERSON, Servers, eventually, form

from mocks.server import open_connections
from scenarios.ceilings.exhaustion import taken_exhaustion

JSON = "Content-Type: application/json"
HALF_HEAD = b"POST /v1/open HTTP/1.1\r\nHost: local"
HALF_BODY = request("POST /v1/open", JSON, "Content-Length: 100") + b'{"order'
HALF_CHUNK = request("POST /v1/open", JSON, "Transfer-Encoding: chunked") + b"10\r\n{"
FORM = "Content-Type: multipart/form-data; boundary=frontier"
HALF_FORM = request("POST /v1/applicants/x/documents", FORM, "Content-Length: 70000")
HALF_FORM += form(kind=b"bank_card", file=bytes(1000))[0][:500]
ALMOST = dict.fromkeys(open_connections.LIMITS, 0.05) | {"work": 60.0}


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits of next to nothing for those who wait for their clients."""
    monkeypatch.setattr(open_connections, "LIMITS", ALMOST)
    monkeypatch.setattr(open_connections, "SWEEP", 0.01)


def logged(servers: Servers, event: str) -> list[dict[str, Any]]:
    lines = map(json.loads, servers.log_file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line["event"] == event]


def closed(servers: Servers, service: str, reason: str) -> int:
    """How many connections the service has closed for this reason."""
    text = servers.get(service, "/metrics").body.decode()
    name = f'http_connections_closed_total{{reason="{reason}",service="{service}"}} '
    return int(float(next((x for x in text.splitlines() if x.startswith(name)), "0").split()[-1]))


@pytest.mark.parametrize(
    ("service", "content", "phase"),
    [
        ("bank", b"", "head"),
        ("bank", HALF_HEAD, "head"),
        ("bank", b"\r\n" * 100, "head"),
        ("bank", HALF_BODY, "body"),
        ("bank", HALF_CHUNK, "body"),
        ("lender", HALF_FORM, "body"),
        ("bank", request("GET /health") + b"\r\n", "idle"),
        ("bank", request("GET /health") + HALF_HEAD, "idle"),
    ],
)
def test_who_keeps_the_server_waiting_is_cut_off(
    serve, hasty: None, service: str, content: bytes, phase: str
) -> None:
    servers = serve()
    with Raw(servers, service) as raw:
        raw.send(content)
        if phase == "idle":
            assert raw.status() == 200
        assert raw.is_closed()
    eventually(lambda: closed(servers, service, phase) == 1)


def test_an_answer_that_nobody_reads_is_not_kept_for_ever(
    serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_connections, "LIMITS", {**open_connections.LIMITS, "answer": 0.05})
    monkeypatch.setattr(open_connections, "SWEEP", 0.01)
    servers = serve("bank")
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.settimeout(20)
        deaf.connect(servers.address("bank"))
        deaf.sendall(request("GET /__admin/openapi.json") * 100)
        eventually(lambda: closed(servers, "bank", "answer") == 1)


def test_waiting_for_work_is_not_keeping_the_server_waiting(serve, hasty: None) -> None:
    servers = serve()
    question = json.dumps({"phone": PERSON["phone"], "wait": 1}).encode()
    with Raw(servers, "sms") as raw:
        raw.send(request("POST /handset/inbox", JSON, body=question))
        assert raw.status() == 204


def test_many_slow_connections_leave_one_line_in_the_log(serve, hasty: None) -> None:
    servers = serve("bank")
    with ExitStack() as open_ones:
        for content in (b"", HALF_HEAD, HALF_BODY) * 50:
            raw = open_ones.enter_context(Raw(servers, "bank"))
            raw.send(content)
        eventually(lambda: closed(servers, "bank", "head") == 100)
        eventually(lambda: closed(servers, "bank", "body") == 50)
    [line] = eventually(lambda: logged(servers, "connections_closed"))
    assert line["level"] == "warning"


def test_without_room_those_who_wait_longest_go_and_the_service_answers(
    serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_connections, "MOST", 40)
    servers = serve("bank", "sms")
    with ExitStack() as open_ones:
        for content in (b"", HALF_HEAD, HALF_BODY, b"") * 30:
            raw = open_ones.enter_context(Raw(servers, "bank"))
            raw.send(content)
        for service in ("bank", "sms"):
            assert servers.get(service, "/health").status == 200
        assert closed(servers, "bank", "no_room") >= 80
        assert taken_exhaustion()["EMFILE"] >= 40  # a run would say that the testbed was the limit
    [line] = eventually(lambda: logged(servers, "connections_closed"))
    assert line["most"] == 40
    assert line["no_room"] >= 80


def test_work_in_progress_keeps_its_place(serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_connections, "MOST", 10)
    servers = serve("sms")
    question = json.dumps({"phone": PERSON["phone"], "wait": 60}).encode()
    with ExitStack() as open_ones:
        pollers = [open_ones.enter_context(Raw(servers, "sms")) for _ in range(9)]
        for raw in pollers:
            raw.send(request("POST /handset/inbox", JSON, body=question))
        for _ in range(30):
            open_ones.enter_context(Raw(servers, "sms")).send(HALF_BODY)
        message = {"phone": PERSON["phone"], "text": "hello", "out_id": "1"}
        assert servers.post("sms", "/v1/send", message).json["Code"] == "OK"
        assert [raw.status() for raw in pollers] == [200] * 9


def test_there_is_room_for_fewer_connections_than_open_files() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        for files, most in ((256, 192), (1024, 768), (before[0], min(10_000, before[0] * 3 // 4))):
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, before[1]))
            assert open_connections.most_connections() == most
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_garbage_leaves_one_line_in_the_log(serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_connections, "SWEEP", 0.01)
    servers = serve("bank")
    for _ in range(50):
        with Raw(servers, "bank") as raw:
            raw.send(b"\x16\x03\x01 garbage\r\n\r\n")
            assert raw.status() == 400
    [line] = eventually(lambda: logged(servers, "bad_requests"))
    assert line["not_http"] >= 1
