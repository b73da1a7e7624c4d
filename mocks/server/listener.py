"""A listening port that can close for a while and come back: connection refused, for real."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

from aiohttp import web

from mocks.server.connections import reset_transport
from mocks.server.problems import PortBusy, StartProblem

BACKLOG = 1024
_REBIND_TRIES = 200


class Listener:
    """Listens for one runner. Bound from its making on; accepts after `open`."""

    def __init__(self, service: str, host: str, port: int) -> None:
        """Raises PortBusy, and StartProblem for a host that is not this machine's."""
        self._service = service
        self._host = host
        self._socket = self._bind(port)
        self.port: int = self._socket.getsockname()[1]
        self._server: asyncio.Server | None = None
        self._runner: web.AppRunner | None = None
        self._accept: Callable[[], asyncio.Protocol] | None = None
        self._wanted_open = False

    @property
    def url(self) -> str:
        """Where clients connect, such as http://127.0.0.1:8080."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    async def open(self, runner: web.AppRunner, accept: Callable[[], asyncio.Protocol]) -> None:
        """Let `accept` make the connections of `runner`."""
        self._runner = runner
        self._accept = accept
        self._wanted_open = True
        await self._listen()

    async def refuse(self) -> None:
        """Close the port and reset every connection; later ones are refused.

        The port stays bound by a socket that does not listen, so that no other program can get it.
        """
        if self._server is None or self._runner is None:
            return
        self._server.close()
        self._server = None
        if self._runner.server is not None:
            for connection in self._runner.server.connections:
                reset_transport(connection.transport)
        for _ in range(_REBIND_TRIES):
            await asyncio.sleep(0.001)
            try:
                self._socket = self._bind(self.port)
            except PortBusy:
                continue
            return
        raise PortBusy(f"port {self.port} of {self._service} was lost to another program")

    async def resume(self) -> None:
        """Accept again after `refuse`."""
        if self._server is None and self._wanted_open:
            await self._listen()

    def close(self) -> None:
        """Stop accepting, for good; connections that exist go on."""
        self._wanted_open = False
        if self._server is not None:
            self._server.close()
            self._server = None
        self._socket.close()

    async def _listen(self) -> None:
        assert self._accept is not None  # noqa: S101  # set by open, before any _listen
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, sock=self._socket, backlog=BACKLOG)

    def _bind(self, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        try:
            sock.bind((self._host, port))
        except OSError as error:
            sock.close()
            if error.errno == errno.EADDRINUSE:
                raise PortBusy(
                    f"port {port} is taken; give --{self._service}-port another"
                    " or 0 for any free one"
                ) from None
            raise StartProblem(
                f"cannot listen on {self._host} port {port}: {error.strerror}"
            ) from None
        return sock
