"""Posting signed callbacks to the lender, and what counts as an acknowledgement."""

from __future__ import annotations

import os

import aiohttp
import msgspec

from mocks.content import IDENTITY
from mocks.messages import DEFAULT_NAMESPACE, Notification
from mocks.server.clock import WallClock
from mocks.server.wire import NAMESPACE_HEADER
from mocks.signing import sign
from scenarios.addresses import is_loopback_url
from scenarios.ceilings.exhaustion import note_exhaustion

CALLBACK_PATHS = {"sms_report": "/v1/callbacks/sms", "payment_notify": "/v1/callbacks/payment"}
"""Where the lender takes each callback."""

TIMEOUT = 5.0
"""Seconds for the lender to acknowledge (WeChat Pay v3 waits as long)."""

_ACKNOWLEDGED = b"success"
"""The body that acknowledges a payment notification (as at Alipay)."""
NO_ADDRESS = "there is nobody to call back; give --callback-url"


class Callbacks:
    """Delivers notifications to one lender, or to the address that a call named."""

    def __init__(
        self, lender: str | None, key: bytes, clock: WallClock, *, allow_remote: bool = False
    ) -> None:
        """`lender` is the root URL of the lender, if there is one; `key` signs. Addresses named in
        calls must be loopback unless `allow_remote`."""
        self._lender = lender.rstrip("/") if lender else None
        self._key = key
        self._clock = clock
        self._allow_remote = allow_remote
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=100),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def post(self, notification: Notification) -> str:
        """Deliver one attempt. Empty when it was acknowledged: 2xx, and for a payment notification
        the body `success`; else why it was not, in a few words."""
        url = self._address(notification)
        if url is None:
            return NO_ADDRESS if not notification.url else "its address is not on loopback"
        body = msgspec.json.encode(notification.body)
        headers = {
            "Content-Type": "application/json",
            **IDENTITY,
            **sign(self._key, body, self._clock.now()),
        }
        if notification.namespace != DEFAULT_NAMESPACE:
            headers[NAMESPACE_HEADER] = notification.namespace
        try:
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                text = await answer.content.read(64)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            note_exhaustion(error)
            return _why(error)
        if not 200 <= answer.status < 300:
            return f"answered {answer.status}"
        if notification.op == "payment_notify" and text.strip() != _ACKNOWLEDGED:
            return f"answered {answer.status} without the body success"
        return ""

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    def _address(self, notification: Notification) -> str | None:
        if notification.url:
            allowed = self._allow_remote or is_loopback_url(notification.url)
            return notification.url if allowed else None
        return self._lender + CALLBACK_PATHS[notification.op] if self._lender else None


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT:g} s"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it hung up without an answer"
    if isinstance(error, aiohttp.ClientResponseError):
        return "what it answered is not HTTP"
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    if isinstance(error, aiohttp.ClientConnectorError):
        return "its host cannot be found"
    return type(error).__name__
