"""Requests written byte by byte, as no HTTP client would send them."""

from __future__ import annotations

import json
import socket
from typing import Any

from served import Servers


class Raw:
    """One connection to a service."""

    def __init__(self, servers: Servers, service: str, *, timeout: float = 20) -> None:
        self.socket = socket.create_connection(servers.address(service), timeout=timeout)

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, content: bytes) -> None:
        self.socket.sendall(content)

    def status(self) -> int:
        """The status of the answer; 0 when the connection was closed without one."""
        return self.answer()[0]

    def answer(self) -> tuple[int, dict[str, Any]]:
        """Status, and the error of the body."""
        found = b""
        while b"\r\n\r\n" not in found:
            part = self.socket.recv(65536)
            if not part:
                return 0, {}
            found += part
        head, _, body = found.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(x[15:]) for x in lines if x.startswith(b"content-length:")), 0)
        while len(body) < length:
            body += self.socket.recv(65536)
        error = json.loads(body).get("error", {}) if body.startswith(b"{") else {}
        return int(head.split()[1]), error

    def is_closed(self) -> bool:
        """Whether the server has closed it; waits for that as long as its timeout."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True


def request(
    line: str | bytes, *headers: str | bytes, body: bytes = b"", host: str | bytes = "localhost"
) -> bytes:
    """A request; `line` is method and target. Text is latin-1."""
    named = [b"Host: " + _bytes(host), *map(_bytes, headers)]
    if body:
        named.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([_bytes(line) + b" HTTP/1.1", *named, b"", body])


def ask(servers: Servers, service: str, content: bytes) -> tuple[int, dict[str, Any]]:
    """Status and error of one request on a connection of its own."""
    with Raw(servers, service) as raw:
        raw.send(content)
        return raw.answer()


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")
