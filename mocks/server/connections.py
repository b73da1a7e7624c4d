"""Breaking connections the way networks do: by a TCP reset, or by silence."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from aiohttp import web

from mocks.server.wire import ConnectionCut
from scenarios.faults.base import Manner

MAX_HANG = 600.0
"""Seconds after which a silent connection is reset, whoever may still be there."""

_NO_LINGER = struct.pack("ii", 1, 0)


def reset_transport(transport: Any) -> None:
    """Cut a connection so that the peer sees ECONNRESET instead of an orderly end.

    A socket closed with SO_LINGER on and 0 seconds sends RST (POSIX leaves that to the system;
    Linux, the BSDs and macOS do it).
    """
    if transport is None:
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()


def reset(request: web.Request) -> None:
    """Cut the connection of `request` by a TCP reset."""
    reset_transport(request.transport)


async def spoiled(
    request: web.Request, response: web.Response, manner: Manner, hold: float
) -> web.StreamResponse:
    """Send `response` the way a fault wants it: cut in the middle of its body, as half a body that
    is no JSON, or whole with its end `hold` seconds late. Raises ConnectionCut after a cut."""
    body = response.body if isinstance(response.body, bytes) else b""
    half = body[: len(body) // 2]
    headers = {"Content-Type": response.content_type}
    if manner == "malformed":
        spoilt = web.Response(body=half, status=response.status, headers=headers)
        if not hold:
            return spoilt
        body = half
    sent = web.StreamResponse(status=response.status, headers=headers)
    sent.force_close()
    if manner == "partial":
        sent.content_length = len(body)
        body = half
    await sent.prepare(request)
    await sent.write(body)
    if manner == "partial":
        if request.transport is not None:
            request.transport.close()
        raise ConnectionCut("PARTIAL")
    await asyncio.sleep(hold)
    await sent.write_eof()
    return sent


async def hang(request: web.Request, closing: asyncio.Event) -> None:
    """Say nothing until the client goes away (the server then cancels the handler), until
    `closing`, or for MAX_HANG seconds; then reset."""
    try:
        async with asyncio.timeout(MAX_HANG):
            await closing.wait()
    except TimeoutError:
        pass
    reset(request)
