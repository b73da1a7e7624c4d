"""The journal of requests: bounded, masked before anything is kept, off at size 0."""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec

from mocks.masking import mask_payload


class Entry(msgspec.Struct, frozen=True):
    """One request and its answer. `at`: epoch seconds of arrival; `status` 0: no answer is sent;
    `request` and `response` are masked."""

    at: float
    op: str
    namespace: str
    status: int
    code: str
    request: dict[str, Any]
    response: dict[str, Any]


class Journal:
    """The last `size` requests."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._entries: deque[Entry] = deque(maxlen=size)

    def add(
        self,
        at: float,
        op: str,
        namespace: str,
        status: int,
        code: str,
        request: dict[str, Any],
        response: dict[str, Any],
    ) -> None:
        """Keep one request, masked."""
        if self.size:
            masked, answered = mask_payload(request), mask_payload(response)
            self._entries.append(Entry(at, op, namespace, status, code, masked, answered))

    def newest(self, limit: int, op: str | None, namespace: str | None) -> list[Entry]:
        """At most `limit` entries, newest first, of one operation or namespace if given."""
        found: list[Entry] = []
        for entry in reversed(self._entries):
            if len(found) >= limit:
                break
            if op in (None, entry.op) and namespace in (None, entry.namespace):
                found.append(entry)
        return found

    def clear(self, namespace: str | None = None) -> int:
        """Forget the entries of `namespace`, or all; returns how many went."""
        kept = [e for e in self._entries if namespace is not None and e.namespace != namespace]
        gone = len(self._entries) - len(kept)
        self._entries = deque(kept, maxlen=self.size)
        return gone
