"""Signatures of callbacks (gateway to lender): HMAC-SHA256 over `timestamp "." body`.

The timestamp is signed so that an old callback cannot be replayed beyond the tolerance; within it,
callbacks may repeat by design, and the lender takes each once.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

TIMESTAMP_HEADER = "X-Bindrill-Timestamp"
"""Whole seconds since the epoch at which the callback was signed."""
SIGNATURE_HEADER = "X-Bindrill-Signature"
"""`v1=` and the signature in hexadecimal."""

TOLERANCE = 300.0


def sign(key: bytes, body: bytes, at: float) -> dict[str, str]:
    """The headers of a callback with this body, sent at `at` (seconds since the epoch)."""
    timestamp = str(int(at))
    return {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: _signature(key, timestamp, body)}


def verify(
    key: bytes, headers: Mapping[str, str], body: bytes, now: float, tolerance: float = TOLERANCE
) -> bool:
    """Whether the headers sign this body, at most `tolerance` seconds before or after `now`.

    Header names match as `headers` looks them up (case-insensitively in HTTP servers).
    """
    timestamp = headers.get(TIMESTAMP_HEADER, "")
    signature = headers.get(SIGNATURE_HEADER, "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16):
        return False
    expected = _signature(key, timestamp, body)
    # Servers hand over bytes that are no text as lone surrogates.
    genuine = hmac.compare_digest(expected.encode(), signature.encode(errors="surrogateescape"))
    return genuine and abs(now - int(timestamp)) <= tolerance


def _signature(key: bytes, timestamp: str, body: bytes) -> str:
    return "v1=" + hmac.digest(key, timestamp.encode() + b"." + body, "sha256").hex()
