"""Requests and replies of the lender, without HTTP."""

from __future__ import annotations

from typing import Any

import msgspec


class LenderRequest(msgspec.Struct, gc=False):
    """One call of `scenarios.contract.OPERATIONS`: `path` fills the template (`applicant`,
    `binding`), `body` is the JSON body; of an uploaded picture it holds `kind`, `content_type`,
    `size` (bytes) and `sha256` (hexadecimal). `arrived_at` (seconds on the world's clock): when it
    came to the lender, if it has waited since."""

    op: str
    body: dict[str, Any]
    path: dict[str, str] = {}
    idempotency_key: str = ""
    arrived_at: float | None = None


class LenderResponse(msgspec.Struct, gc=False):
    """HTTP status, JSON body and headers."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = {}
