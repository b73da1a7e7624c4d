"""The handset at which a customer reads codes: the SMS gateway's inbox, by long poll."""

from __future__ import annotations

import time

import gevent
import msgspec

from loadtests.client import Client, NoAnswer
from mocks.content import json_object
from scenarios.directives import Message

LONGEST_POLL = 20.0
"""Seconds of one long poll; a longer wait is made of several."""
GRACE = 5.0
"""Seconds that a poll's answer may take beyond the wait it asked for."""
BETWEEN_TRIES = 0.5
"""Seconds before an inbox that did not answer is tried again."""

MOST_SEEN = 2**53
"""More messages than an inbox can count in JSON."""


class Handset:
    """The inboxes behind one SMS gateway at `base_url`."""

    def __init__(self, base_url: str, name: str = "BINDRILL_SMS_URL") -> None:
        """Raises AddressProblem for a `base_url`, given as `name`, that is none."""
        self._client = Client(base_url, name)

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
        began = time.monotonic()
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
            status, content = 0, b""
        message = _message(content, seen) if status == 200 else None
        if message is None:
            # An inbox that does not wait for a message is not asked without a pause.
            left = wait - (time.monotonic() - began)
            gevent.sleep(max(0.0, min(left, BETWEEN_TRIES)))
        return message

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._client.close()


def _message(content: bytes, seen: int) -> Message | None:
    """The message of an answer; None when it is none, or none that is new."""
    try:
        message = msgspec.convert(json_object(content), Message)
    except msgspec.ValidationError:
        return None
    return message if seen < message.seen <= MOST_SEEN else None
