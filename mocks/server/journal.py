"""The journal of requests: bounded in entries and in bytes, masked before anything is kept, off at
size 0."""

from __future__ import annotations

from collections import deque
from heapq import merge
from itertools import islice
from typing import Any

import msgspec

from mocks.masking import mask_payload, mask_text

LARGEST_ENTRY = 8 * 1024
"""Bytes of a request, and of its answer, as kept; of larger ones only the size is told."""
REFUSED = 200
"""Refused requests that are kept, beside the others: whoever is turned away pushes nobody out."""
_LONGEST_PART = 200

_encode = msgspec.json.Encoder().encode


class Entry(msgspec.Struct, frozen=True):
    """One request and its answer. `at`: epoch seconds of arrival; `status` 0: no answer is sent;
    `request` and `response` are masked JSON."""

    at: float
    op: str
    namespace: str
    status: int
    code: str
    request: msgspec.Raw
    response: msgspec.Raw


class Journal:
    """The last `size` requests, and the last REFUSED that were turned away."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._entries: deque[Entry] = deque(maxlen=size)
        self._refused: deque[Entry] = deque(maxlen=min(size, REFUSED))

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
            asked, answered = _kept(mask_payload(request)), _kept(mask_payload(response))
            self._entries.append(Entry(at, op, namespace, status, code, asked, answered))

    def refuse(
        self, at: float, op: str, namespace: str, status: int, code: str, asked: dict[str, str]
    ) -> None:
        """Keep that a request was turned away; `code` says why, `asked` its method and path."""
        if self.size:
            request = _kept({name: mask_text(_shown(text)) for name, text in asked.items()})
            self._refused.append(Entry(at, op, namespace, status, code, request, _NOTHING))

    def newest(self, limit: int, op: str | None, namespace: str | None) -> list[Entry]:
        """At most `limit` entries, newest first, of one operation or namespace if given."""
        newest_first = merge(
            reversed(self._entries), reversed(self._refused), key=lambda entry: -entry.at
        )
        found = (
            entry
            for entry in newest_first
            if op in (None, entry.op) and namespace in (None, entry.namespace)
        )
        return list(islice(found, limit))

    def clear(self, namespace: str | None = None) -> int:
        """Forget the entries of `namespace`, or all; returns how many went."""
        gone = 0
        for entries in (self._entries, self._refused):
            kept = [e for e in entries if namespace is not None and e.namespace != namespace]
            gone += len(entries) - len(kept)
            entries.clear()
            entries.extend(kept)
        return gone


def _shown(text: str) -> str:
    """The beginning of a text that may hold bytes that are none."""
    return text[:_LONGEST_PART].encode(errors="replace").decode()


def _kept(masked: dict[str, Any]) -> msgspec.Raw:
    # As text: a request of many small values takes twenty times its own bytes as objects.
    text = _encode(masked)
    if len(text) > LARGEST_ENTRY:
        text = _encode({"cut": f"{len(text)} bytes of JSON, too many to keep"})
    return msgspec.Raw(text)


_NOTHING = msgspec.Raw(b"{}")
