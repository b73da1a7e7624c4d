"""Posting signed callbacks to the lender, and what counts as an acknowledgement."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import aiohttp
import msgspec

from mocks.messages import DEFAULT_NAMESPACE, Notification
from mocks.server.clock import WallClock
from mocks.server.wire import NAMESPACE_HEADER
from mocks.signing import sign

CALLBACK_PATHS = {"sms_report": "/v1/callbacks/sms", "payment_notify": "/v1/callbacks/payment"}
"""Where the lender takes each callback."""

TIMEOUT = 5.0
"""Seconds for the lender to acknowledge (WeChat Pay v3 waits as long)."""

_ACKNOWLEDGED = b"success"
"""The body that acknowledges a payment notification (as at Alipay)."""


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
        )

    async def post(self, notification: Notification) -> bool:
        """Deliver one attempt. True when it was acknowledged: 2xx, and for a payment notification
        the body `success`; every failure counts as no acknowledgement."""
        url = self._address(notification)
        if url is None:
            return False
        body = msgspec.json.encode(notification.body)
        headers = {
            "Content-Type": "application/json",
            **sign(self._key, body, self._clock.now()),
        }
        if notification.namespace != DEFAULT_NAMESPACE:
            headers[NAMESPACE_HEADER] = notification.namespace
        try:
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                text = await answer.content.read(64)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return False
        if not 200 <= answer.status < 300:
            return False
        return notification.op != "payment_notify" or text.strip() == _ACKNOWLEDGED

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    def _address(self, notification: Notification) -> str | None:
        if notification.url:
            allowed = self._allow_remote or is_loopback_url(notification.url)
            return notification.url if allowed else None
        return self._lender + CALLBACK_PATHS[notification.op] if self._lender else None


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine's loopback."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_loopback_url(url: str) -> bool:
    """Whether `url` is an HTTP address on this machine's loopback."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and is_loopback(parts.hostname or "")
    except ValueError:
        return False
