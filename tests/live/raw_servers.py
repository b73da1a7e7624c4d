"""A small server with chosen manners."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest

Manners = Callable[[socket.socket, bytes], None]


class RawServer:
    """Reads one request a connection at a time and lets `manners` answer it."""

    def __init__(self, manners: Manners) -> None:
        self._manners = manners
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.requests: list[bytes] = []
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while request := self._read(connection):
                    self.requests.append(request)
                    self._manners(connection, request)
            except OSError:
                return

    def _read(self, connection: socket.socket) -> bytes:
        request = b""
        while b"\r\n\r\n" not in request:
            part = connection.recv(65536)
            if not part:
                return b""
            request += part
        head, _, body = request.partition(b"\r\n\r\n")
        lengths = (
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        length = next(lengths, 0)
        while len(body) < length:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body


def reply(status: int, body: bytes) -> Manners:
    """Answers every request alike and keeps the connection."""

    def manners(connection: socket.socket, _: bytes) -> None:
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)

    return manners


def reset(connection: socket.socket, _: bytes) -> None:
    """Cuts the connection by a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hang(_: socket.socket, __: bytes) -> None:
    """Says nothing."""


def says(answer: bytes, *, hangs_up: bool = True) -> Manners:
    """Answers with these bytes, whatever they are, and hangs up if it does."""

    def manners(connection: socket.socket, _: bytes) -> None:
        connection.sendall(answer)
        if hangs_up:
            connection.shutdown(socket.SHUT_WR)

    return manners


def goes_on(first: bytes, more: bytes, pause: float = 0.0) -> Manners:
    """Answers with `first` and then `more` without an end, `pause` seconds apart."""

    def manners(connection: socket.socket, _: bytes) -> None:
        connection.sendall(first)
        while True:
            connection.sendall(more)
            if pause:
                time.sleep(pause)

    return manners


@pytest.fixture
def raw_server() -> Iterator[Callable[[Manners], RawServer]]:
    """Starts servers that end with their test."""
    started: list[RawServer] = []

    def start(manners: Manners) -> RawServer:
        started.append(RawServer(manners))
        return started[-1]

    yield start
    for server in started:
        server.close()
