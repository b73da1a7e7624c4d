"""The handset at which a customer reads codes: the SMS gateway's inbox, by long poll."""

from __future__ import annotations

import time

import gevent
import msgspec

from loadtests.client import Client, NoAnswer
from scenarios.directives import Message

LONGEST_POLL = 20.0
"""Seconds of one long poll; a longer wait is made of several."""
GRACE = 5.0
"""Seconds that a poll's answer may take beyond the wait it asked for."""
BETWEEN_TRIES = 0.5
"""Seconds before an inbox that did not answer is tried again."""


class Handset:
    """The inboxes behind one SMS gateway at `base_url`."""

    def __init__(self, base_url: str) -> None:
        self._client = Client(base_url)

    def read(self, phone: str, seen: int, patience: float) -> Message | None:
        """The newest message of `phone` once there are more than `seen`, or None after `patience`
        seconds. An inbox that does not answer is one without a message."""
        deadline = time.monotonic() + patience
        while True:
            left = max(0.0, deadline - time.monotonic())
            message = self._poll(phone, seen, min(left, LONGEST_POLL))
            if message is not None or time.monotonic() >= deadline:
                return message

    def _poll(self, phone: str, seen: int, wait: float) -> Message | None:
        body = msgspec.json.encode({"phone": phone, "seen": seen, "wait": wait})
        try:
            status, content = self._client.exchange(
                "POST",
                "/handset/inbox",
                wait + GRACE,
                body,
                {"Content-Type": "application/json"},
            )
        except NoAnswer:
            status = 0
        if status == 200:
            return msgspec.json.decode(content, type=Message)
        if status != 204:
            gevent.sleep(min(wait, BETWEEN_TRIES))
        return None

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._client.close()
