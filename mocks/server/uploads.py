"""An uploaded picture, read as a stream and kept as what the lender needs to judge it."""

from __future__ import annotations

import hashlib
from typing import Any

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.client_exceptions import ClientPayloadError
from aiohttp.http_exceptions import BadHttpMessage

from mocks.server.wire import Problem
from scenarios.contract import ErrorCode

MAX_UPLOAD_BYTES = 4 * 1024 * 1024
"""Beyond it reading stops; the lender's own limit is lower."""

_MAX_FIELD_BYTES = 256
_MAX_PARTS = 8
_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"RIFF", "image/webp"),
)
"""First bytes by type (the IANA media type registrations)."""


async def read_upload(request: web.Request) -> dict[str, Any]:
    """`{"kind", "content_type", "size", "sha256"}` of a multipart form with `kind` and `file`.

    The type is read from the picture's first bytes, never from what the client claims; size is in
    bytes. What the form does not have is left out. Raises Problem: 415 when it is no form, 413
    beyond MAX_UPLOAD_BYTES, 400 when it is broken.
    """
    # Not `request.content_type`, which takes an e-mail parser to it, as the reader will do again.
    claimed = request.headers.get("Content-Type", "").partition(";")[0]
    if claimed.strip().lower() != "multipart/form-data":
        raise Problem(
            415, ErrorCode.DOCUMENT_TYPE, "send a multipart/form-data form with kind and file"
        )
    try:
        return await _parts(await request.multipart())
    except (ValueError, AssertionError, RuntimeError, LookupError, EOFError) as error:
        raise _broken() from error
    except (ClientPayloadError, web.RequestPayloadError, BadHttpMessage) as error:
        raise _broken() from error


async def _parts(form: MultipartReader) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(_MAX_PARTS):
        part = await form.next()
        if part is None:
            return found
        if not isinstance(part, BodyPartReader):
            raise _broken()
        if part.name == "kind":
            found["kind"] = (await _read(part, _MAX_FIELD_BYTES)).decode()
        elif part.name == "file":
            found.update(await _digest(part))
        else:
            await _read(part, _MAX_FIELD_BYTES)
    raise _broken()


async def _read(part: BodyPartReader, most: int) -> bytes:
    content = b""
    while chunk := await part.read_chunk():
        content += chunk
        if len(content) > most:
            raise _broken()
    return content


async def _digest(part: BodyPartReader) -> dict[str, Any]:
    digest, size, head = hashlib.sha256(), 0, b""
    while chunk := await part.read_chunk(64 * 1024):
        digest.update(chunk)
        size += len(chunk)
        if len(head) < 16:
            head += chunk[:16]
        if size > MAX_UPLOAD_BYTES:
            raise Problem(
                413, ErrorCode.DOCUMENT_SIZE, f"the file is larger than {MAX_UPLOAD_BYTES} bytes"
            )
    return {"content_type": _sniffed(head), "size": size, "sha256": digest.hexdigest()}


def _sniffed(head: bytes) -> str:
    for magic, content_type in _MAGIC:
        if head.startswith(magic):
            return content_type
    return "application/octet-stream"


def _broken() -> Problem:
    return Problem(400, ErrorCode.INVALID_FIELD, "the form could not be read", field="file")
