"""An uploaded picture, read as a stream and kept as what the lender needs to judge it."""

from __future__ import annotations

import hashlib
from typing import Any, cast

from aiohttp import BodyPartReader, MultipartReader, StreamReader, web
from aiohttp.client_exceptions import ClientPayloadError
from aiohttp.http_exceptions import BadHttpMessage

from mocks.server.wire import Problem
from scenarios.contract import ErrorCode

MAX_UPLOAD_BYTES = 4 * 1024 * 1024
"""Of the file. Beyond it reading stops; the lender's own limit is lower."""
FORM_OVERHEAD = 64 * 1024
"""Bytes of a form beside its file: what stands before and after, boundaries, headers, fields."""

_CHUNK = 64 * 1024
_MAX_FIELD_BYTES = 256
_MAX_PARTS = 8
_AS_IT_IS = ("binary", "8bit", "7bit")
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
    beyond MAX_UPLOAD_BYTES or FORM_OVERHEAD, 400 when it is broken, or a part of it is encoded.
    """
    # Not `request.content_type`, which takes an e-mail parser to it, as the reader will do again.
    claimed = request.headers.get("Content-Type", "").partition(";")[0]
    if claimed.strip().lower() != "multipart/form-data":
        raise Problem(
            415, ErrorCode.DOCUMENT_TYPE, "send a multipart/form-data form with kind and file"
        )
    try:
        stream = _Bounded(request.content)
        form = MultipartReader(request.headers, cast(StreamReader, stream))
        found = await _parts(form)
        await stream.finish()
        return found
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
        if not isinstance(part, BodyPartReader) or _is_encoded(part):
            raise _broken()
        if part.name == "kind":
            found["kind"] = (await _read(part)).decode()
        elif part.name == "file":
            found.update(await _digest(part))
        else:
            await _read(part)
    raise _broken()


class _Bounded:
    """A form's bytes, no more of them than a form may have. What is read line by line is beside
    the file, and its lines may be as short as one likes: it costs most and is bounded most."""

    def __init__(self, stream: StreamReader) -> None:
        self._stream = stream
        self._left = MAX_UPLOAD_BYTES + FORM_OVERHEAD
        self._left_beside = FORM_OVERHEAD

    async def read(self, most: int = -1) -> bytes:
        chunk = await self._stream.read(most)
        self._take(len(chunk))
        return chunk

    async def readline(self, *, max_line_length: int | None = None) -> bytes:
        line = await self._stream.readline(max_line_length=max_line_length)
        self._take(len(line), beside=True)
        return line

    async def finish(self) -> None:
        """Read what stands after the form's end."""
        while rest := await self._stream.read(_CHUNK):
            self._take(len(rest), beside=True)

    def unread_data(self, data: bytes) -> None:
        self._left += len(data)
        self._stream.unread_data(data)

    def at_eof(self) -> bool:
        return self._stream.at_eof()

    def _take(self, size: int, *, beside: bool = False) -> None:
        self._left -= size
        if beside:
            self._left_beside -= size
        if min(self._left, self._left_beside) < 0:
            raise form_too_large()


def form_too_large() -> Problem:
    """The answer to a form of more than a file and what belongs to it."""
    return Problem(
        413,
        ErrorCode.DOCUMENT_SIZE,
        f"the form is larger than {MAX_UPLOAD_BYTES} bytes of file and {FORM_OVERHEAD} of anything"
        " else",
    )


def _is_encoded(part: BodyPartReader) -> bool:
    """Whether the part's bytes are not the file's (RFC 7578 4.7 has no encodings)."""
    transfer = part.headers.get("Content-Transfer-Encoding", "binary").strip().lower()
    return "Content-Encoding" in part.headers or transfer not in _AS_IT_IS


async def _read(part: BodyPartReader) -> bytes:
    content = b""
    while chunk := await part.read_chunk():
        content += chunk
        if len(content) > _MAX_FIELD_BYTES:
            raise _broken()
    return content


async def _digest(part: BodyPartReader) -> dict[str, Any]:
    digest, size, head = hashlib.sha256(), 0, b""
    while chunk := await part.read_chunk(_CHUNK):
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
