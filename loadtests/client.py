"""HTTP on gevent for measured requests: each is sent once, and its failure has one of five names.

It stands on geventhttpclient's connection pool and response parser and leaves its user agent out.
That repeats a GET whose connection broke, which would hide a reset from the measurement, and with
Locust's session around it a request costs twice the processor time (64 against 137 microseconds on
one core, measured against an aiohttp server on loopback). Connections are shared by all customers
of a process: reusing one costs less than opening one for each (64 against 79 microseconds).
"""

from __future__ import annotations

import errno
import select
from typing import Any

import gevent
import gevent.socket
from gevent import monkey
from geventhttpclient.connectionpool import ConnectionPool, SSLConnectionPool
from geventhttpclient.response import (
    HTTPConnectionClosed,
    HTTPParseError,
    HTTPSocketPoolResponse,
)

from mocks.content import IDENTITY, MOST_BYTES, ContentProblem, decoded
from scenarios.addresses import parse_address
from scenarios.ceilings.exhaustion import note_exhaustion

MAX_CONNECTIONS = 60_000
"""More than a process may have open files: requests must never wait in line in the load generator.
"""

MOST_HEAD = 64 * 1024
"""Bytes of status line and headers, interim answers included."""

_SEND_BROKE = (errno.ECONNRESET, errno.EPIPE)
_poll: Any = monkey.get_original("select", "poll")  # Locust replaces the module's own


class NoAnswer(Exception):
    """No answer came that can be used: `code` is UNREACHABLE, RESET, TIMEOUT, BAD_ANSWER (not
    HTTP, too long, or not coded as it says) or TESTBED_LIMIT (this machine has no file, port or
    memory left for a connection).

    Only UNREACHABLE and TESTBED_LIMIT say that the server did not get the request.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Client:
    """One server, over as many kept-alive connections as there are requests in flight.

    `base_url` is `http://host:port` or `https://…`, with a path in front of all others if it has
    one, given as `name`. Raises AddressProblem when it is not such a URL.
    """

    def __init__(self, base_url: str, name: str = "--host") -> None:
        address = parse_address(name, base_url, "http://127.0.0.1:8080")
        host, port = address.host, address.port
        kind = _SecurePool if address.scheme == "https" else _Pool
        self._pool = kind(host, port, host, port, size=MAX_CONNECTIONS)
        # A socket's own time-outs are off: the caller's covers the whole exchange.
        self._pool.network_timeout = None  # type: ignore[assignment]
        self._pool.connection_timeout = None  # type: ignore[assignment]
        self._prefix = address.path
        self._host = address.authority

    def exchange(
        self,
        method: str,
        path: str,
        timeout: float,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """Send one request and return the answer's status and body, of at most MOST_BYTES.

        `timeout`, in seconds, covers everything from connecting to the last byte. A redirect is an
        answer: what was sent to this server goes to no other. Raises NoAnswer.
        """
        lines = [
            f"{method} {self._prefix}{path} HTTP/1.1",
            f"Host: {self._host}",
            "Accept: application/json",
            *(f"{name}: {value}" for name, value in IDENTITY.items()),
            f"Content-Length: {len(body)}",
            *(f"{name}: {value}" for name, value in (headers or {}).items()),
            "\r\n",
        ]
        with gevent.Timeout(timeout) as timer:
            try:
                return self._exchange(method, "\r\n".join(lines).encode("latin-1") + body)
            except gevent.Timeout as expired:
                if expired is not timer:
                    raise
                raise NoAnswer("TIMEOUT") from None

    def _exchange(self, method: str, message: bytes) -> tuple[int, bytes]:
        try:
            sock = self._pool.get_socket()
        except OSError as failure:
            # The load generator's own limit is not the server's fault.
            ours = note_exhaustion(failure)
            raise NoAnswer("TESTBED_LIMIT" if ours else "UNREACHABLE") from failure
        try:
            sock.sendall(message)
        except OSError as failure:
            # A server may answer and hang up before it has read all; then the answer is there.
            if failure.errno not in _SEND_BROKE:
                self._pool.release_socket(sock)
                raise NoAnswer("RESET") from failure
        except BaseException:
            self._pool.release_socket(sock)
            raise
        try:
            response = _Response(sock, self._pool, method=method)
            content = response.read()
            return response.get_code(), decoded(content, response.codings)
        except (OSError, HTTPConnectionClosed) as failure:
            raise NoAnswer("RESET") from failure
        except (HTTPParseError, ContentProblem) as failure:
            raise NoAnswer("BAD_ANSWER") from failure

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._pool.close()


class _Response(HTTPSocketPoolResponse):
    """An answer that is taken in only as far as anybody may send one, and one for a request."""

    _taken = 0
    _final = False

    @property
    def codings(self) -> str:
        """The Content-Encoding."""
        found = self.get("content-encoding", "")
        return ", ".join(found) if isinstance(found, list) else found or ""

    def feed(self, data: str | bytes) -> None:
        self._taken += len(data)
        if self._taken > MOST_HEAD + MOST_BYTES:
            raise ContentProblem("it does not end")
        try:
            super().feed(data)
        except HTTPParseError:
            if data:
                raise
            raise HTTPConnectionClosed("it is cut") from None

    def _on_message_begin(self) -> None:
        if self._final:
            raise HTTPParseError("a second answer to one request")
        super()._on_message_begin()

    def _on_message_complete(self) -> None:
        self._final = self.get_code() >= 200
        super()._on_message_complete()


class _Pool(ConnectionPool):
    """Looks whether an idle connection still stands by `poll`: the `select` of the original fails
    for files beyond the 1024th, so that no connection would be used again."""

    def _is_socket_alive(self, sock: gevent.socket.socket | None) -> bool:
        if sock is None or sock.fileno() < 0:
            return False
        watch = _poll()
        watch.register(sock.fileno(), select.POLLIN)
        # Readable while idle: the server has closed it, or says what nobody asked.
        return not watch.poll(0)


class _SecurePool(_Pool, SSLConnectionPool):
    """The same over TLS."""
