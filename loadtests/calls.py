"""Gateway calls as the gateways saw them, gathered while a run goes on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from loadtests.admin import AdminProblem, call_admin, read_reply
from reports import events


class _Call(NamedTuple):
    """One entry of `/__admin/calls`: `at` in seconds since the epoch, `delay` null for a hang."""

    at: float
    gateway: str
    op: str
    issuer: str
    code: str
    status: int
    delay: float | None
    transport: str


class _Page(msgspec.Struct):
    next: int
    calls: list[_Call]


class CallGatherer:
    """Follows the feed of one gateway at `url` and hands `record` the rows; times count from
    `origin` (seconds since the epoch)."""

    def __init__(self, url: str, origin: float, record: Callable[[events.Row], None]) -> None:
        self._url = url
        self._origin = origin
        self._record = record
        self._after = 0

    def gather(self) -> None:
        """Take what came since the last time; a gateway that does not answer is asked again then,
        for its feed remembers."""
        try:
            status, body = call_admin(self._url, "GET", f"/calls?after={self._after}")
            if status != 200:
                return
            page = read_reply(self._url, body, _Page)
        except AdminProblem:
            return
        self._after = page.next
        for call in page.calls:
            delay = math.inf if call.delay is None else call.delay
            self._record(
                events.call(
                    call.gateway,
                    call.op,
                    call.issuer,
                    call.at - self._origin,
                    delay,
                    call.status,
                    call.code,
                )
            )
