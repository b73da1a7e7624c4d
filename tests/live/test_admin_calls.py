"""Calls from the process that steers a run, to servers of every kind of manners."""

from __future__ import annotations

import gzip

import msgspec
import pytest
from raw_servers import Manners, goes_on, hang, reply, reset, says
from small_scenarios import small

from loadtests import admin
from loadtests.admin import AdminProblem, error_message, fetch, read_reply
from loadtests.chaos.actions import clear_faults, set_fault
from loadtests.chaos.counters import observe
from loadtests.chaos.probes import fault_in_force, service_ready
from loadtests.stack import Stack, StackProblem

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "TIMEOUT", 0.3)


NO_ANSWERS: dict[str, tuple[Manners, str]] = {
    "reset": (reset, "connection reset"),
    "silence": (hang, "not whole after"),
    "hangs up": (says(b""), "hangs up"),
    "cut refusal": (says(b"HTTP/1.1 503 X\r\nContent-Length: 999\r\n\r\n{}"), "is cut"),
    "cut chunk": (says(CHUNKED + b"5\r\nab"), "is cut"),
    "refusal without an end": (
        says(b"HTTP/1.1 404 X\r\n\r\n<html>", hangs_up=False),
        "not whole after",
    ),
    "drips a body": (goes_on(OK + b"Content-Length: 9999\r\n\r\n", b"x", 0.01), "not whole after"),
    "drips a head": (goes_on(OK, b"X: y\r\n", 0.01), "not whole after"),
    "drips a line": (goes_on(b"HTTP/1.1 ", b"2", 0.01), "not whole after"),
    "no end": (goes_on(CHUNKED, b"8000\r\n" + bytes(0x8000) + b"\r\n"), "longer than"),
    "no end of headers": (goes_on(OK, b"X: y\r\n"), "not HTTP"),
    "no HTTP": (says(b"SSH-2.0-\x1b[31m\r\n"), "not HTTP (SSH-2.0-\\x1b[31m"),
    "bomb": (
        says(OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(10**7))),
        "decodes to more",
    ),
}


@pytest.mark.parametrize("kind", NO_ANSWERS)
def test_no_whole_answer_is_one_line(raw_server, kind: str) -> None:
    manners, words = NO_ANSWERS[kind]
    url = raw_server(manners).url
    with pytest.raises(AdminProblem) as caught:
        fetch(url, most=2**20)
    message = str(caught.value)
    assert message.startswith(f"{url} does not answer: ")
    assert words in message
    assert message.isprintable()


@pytest.mark.parametrize("kind", NO_ANSWERS)
def test_a_target_that_gives_no_whole_answer_is_told_by_its_option(
    raw_server, tmp_path, kind: str
) -> None:
    stack = Stack(small("any"), tmp_path, target=raw_server(NO_ANSWERS[kind][0]).url)
    with pytest.raises(StackProblem, match=r"^--target: http://.* does not answer: [^\n]*$"):
        stack._expect_target(stack._target or "")


def test_a_redirect_is_an_answer_and_is_not_followed(raw_server) -> None:
    elsewhere = raw_server(reply(200, b"{}"))
    line = f"HTTP/1.1 302 X\r\nLocation: {elsewhere.url}/\r\nContent-Length: 0\r\n\r\n"
    server = raw_server(says(line.encode()))
    assert fetch(server.url, token="secret") == (302, b"")
    assert not elsewhere.requests


def test_loopback_is_never_asked_by_a_proxy(raw_server, monkeypatch) -> None:
    proxy, server = raw_server(reply(502, b"")), raw_server(reply(200, b"{}"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)
    assert fetch(server.url) == (200, b"{}")
    assert not proxy.requests


def test_a_coded_answer_is_decoded(raw_server) -> None:
    said = says(OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}"))
    server = raw_server(said)
    assert fetch(server.url) == (200, b"{}")
    assert b"Accept-Encoding: identity" in server.requests[0]


@pytest.mark.parametrize("url", ["http://[::1", "127.0.0.1:9", "http://h:99999/x", "http://a b"])
def test_what_is_no_url_is_a_problem_and_no_traceback(url: str) -> None:
    for call in (fetch, service_ready, clear_faults, lambda url: observe(url, 0.1, ["bank"])):
        with pytest.raises(AdminProblem, match="; write http://"):
            call(url)


class _Reply(msgspec.Struct):
    cleared: int


@pytest.mark.parametrize("content", [b"", b"[]", b"<html>", b'{"cleared": "x"}', b"[" * 100_000])
def test_another_servers_reply_is_a_problem(raw_server, content: bytes) -> None:
    with pytest.raises(AdminProblem, match="not answer as a server of Bindrill"):
        read_reply("http://127.0.0.1:1", content, _Reply)
    url = raw_server(reply(200, content)).url
    for call in (clear_faults, lambda url: set_fault(url, {}), lambda u: fault_in_force(u, "x")):
        with pytest.raises(AdminProblem, match="not answer as a server of Bindrill"):
            call(url)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"error": {"message": "no\\u001b[31m\\n"}}', "no\\x1b[31m\\n"),
        (b'{"error": {"message": ["x"]}}', "it does not say why"),
        (b'{"error": "x"}', "it does not say why"),
        (b"<html>", "it does not say why"),
    ],
)
def test_why_a_server_refuses_is_one_line(content: bytes, message: str) -> None:
    assert error_message(content) == message
