"""Calls to a server's admin API, from the process that steers a run (no gevent there)."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, IncompleteRead, RemoteDisconnected
from typing import Any, TypeVar

import msgspec

from mocks.content import IDENTITY, ContentProblem, decoded, json_object
from scenarios.addresses import Address, AddressProblem, parse_address, show

TIMEOUT = 5.0
"""Seconds for the whole of a call, from connecting to the last byte."""
MOST_BYTES = 64 * 1024 * 1024
"""The longest answer that is read: a feed of 100,000 entries has a fifth of it."""
MOST_OF_A_TARGET = 1024 * 1024
"""The same of a server that is asked only whether it is there."""

T = TypeVar("T")


class AdminProblem(Exception):
    """An admin API does not do what a run needs; the message is one line."""


def call_admin(
    url: str, method: str, path: str, body: Any = None, token: str = ""
) -> tuple[int, bytes]:
    """Call `/__admin<path>` at the server `url`, with its admin token if it has one: the answer's
    status and body.

    Raises AdminProblem when no answer comes.
    """
    return fetch(f"{url}/__admin{path}", method, body, token)


def fetch(
    url: str, method: str = "GET", body: Any = None, token: str = "", most: int = MOST_BYTES
) -> tuple[int, bytes]:
    """Call `url`: the answer's status and body, of at most `most` bytes.

    It goes to the server that is named and to no other: not by a proxy, and not where a redirect
    says. Raises AdminProblem when no whole answer comes within TIMEOUT.
    """
    base, question, query = url.partition("?")
    try:
        address = parse_address("url", base, "http://127.0.0.1:8081")
    except AddressProblem as problem:
        raise AdminProblem(str(problem)) from None
    path = base.partition("://")[2].partition("/")[2]
    data = None if body is None else msgspec.json.encode(body)
    headers = {"Content-Type": "application/json", "Connection": "close", **IDENTITY}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        with _connected(address) as connection:
            connection.request(method, f"/{path}{question}{query}", data, headers)
            answer = connection.getresponse()
            content = answer.read(most + 1)
            if len(content) > most:
                raise ContentProblem(f"its answer is longer than {most} bytes")
            if answer.length:
                raise IncompleteRead(content, answer.length)
            codings = ", ".join(answer.headers.get_all("Content-Encoding", []))
            return answer.status, decoded(content, codings, most)
    except (OSError, HTTPException, ContentProblem, ValueError) as failure:
        raise AdminProblem(f"{show(url)} does not answer: {_why(failure)}") from None


def read_reply(url: str, content: bytes, kind: type[T]) -> T:
    """The body of an admin API's answer. Raises AdminProblem when it is no such thing."""
    try:
        return msgspec.convert(json_object(content), kind)
    except msgspec.ValidationError:
        raise AdminProblem(f"{show(url)} does not answer as a server of Bindrill does") from None


def error_message(content: bytes) -> str:
    """What an error answer says, as one line."""
    error = (json_object(content) or {}).get("error")
    message = error.get("message") if isinstance(error, dict) else None
    return show(message) if isinstance(message, str) and message else "it does not say why"


class _Late(OSError):
    """The time is up."""


@contextmanager
def _connected(address: Address) -> Iterator[HTTPConnection]:
    """A connection that is cut when TIMEOUT has passed. Raises OSError, HTTPException."""
    sock = socket.create_connection((address.host, address.port), TIMEOUT)
    late = threading.Event()

    def cut() -> None:
        late.set()
        try:
            # Each read waits anew, so that a server which drips would never run out of time.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended by itself

    timer = threading.Timer(TIMEOUT, cut)
    timer.daemon = True
    connection = HTTPConnection(address.host, address.port)
    try:
        if address.scheme == "https":
            context = ssl.create_default_context()
            sock = context.wrap_socket(
                sock, server_hostname=address.host, do_handshake_on_connect=False
            )
        timer.start()
        if isinstance(sock, ssl.SSLSocket):
            sock.do_handshake()
        connection.sock = sock
        yield connection
        if late.is_set():
            raise _Late  # an answer without a length ends where it is cut
    except (OSError, HTTPException, ContentProblem) as failure:
        raise (_Late() if late.is_set() else failure) from None
    finally:
        timer.cancel()
        connection.close()
        sock.close()


def _why(failure: Exception) -> str:
    match failure:
        case _Late() | TimeoutError():
            return f"its answer is not whole after {TIMEOUT:g} s"
        case IncompleteRead():
            return "its answer is cut"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({failure.verify_message})"
        case ssl.SSLError():
            return f"it does not speak TLS as https:// says ({failure.reason or 'cut'})"
        case OSError() if failure.strerror:
            return failure.strerror[:1].lower() + failure.strerror[1:]
        case RemoteDisconnected():
            return "it hangs up without an answer"
        case HTTPException():
            return f"what it says is not HTTP ({show(str(failure) or type(failure).__name__)})"
    return show(str(failure) or type(failure).__name__)
