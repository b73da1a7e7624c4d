"""Callbacks that are sent again until the receiver acknowledges them."""

from __future__ import annotations

import msgspec

from mocks.messages import Notification, Timer

AGAIN = "again"
"""The `Timer.event` of the next attempt; the timer's key is the notification's."""


class Redelivery:
    """The unacknowledged callbacks of one namespace. `gaps`: seconds from each failed attempt to
    the next; after the last one the sender gives up."""

    def __init__(self, gaps: tuple[float, ...]) -> None:
        self._gaps = gaps
        self._open: dict[str, Notification] = {}
        self._scheduled: set[str] = set()

    def begin(self, notification: Notification) -> Notification:
        """Keep the first attempt in mind, and return it to be sent."""
        self._open[notification.key] = notification
        return notification

    def outcome(self, sent: Notification, acknowledged: bool, now: float) -> list[Timer]:
        """The timer of the next attempt, if there will be one.

        Copies of one attempt (duplicates) lead to one next attempt, and to none once any copy was
        acknowledged.
        """
        key = sent.key
        latest = self._open.get(key)
        if latest is None:
            return []
        if acknowledged or sent.attempt > len(self._gaps):
            del self._open[key]
            self._scheduled.discard(key)
            return []
        if sent.attempt != latest.attempt or key in self._scheduled:
            return []
        self._scheduled.add(key)
        return [Timer(now + self._gaps[sent.attempt - 1], AGAIN, key, sent.namespace)]

    def again(self, key: str) -> Notification | None:
        """The next attempt; None when an acknowledgement came meanwhile."""
        latest = self._open.get(key)
        self._scheduled.discard(key)
        if latest is None:
            return None
        attempt = latest.attempt + 1
        body = {**latest.body, "attempt": attempt}
        following = msgspec.structs.replace(latest, attempt=attempt, body=body)
        self._open[key] = following
        return following

    def __len__(self) -> int:
        return len(self._open)
