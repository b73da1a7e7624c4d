"""What others answer with: bytes to be bounded, decoded and read, and never to be believed."""

from __future__ import annotations

import zlib
from typing import Any

import brotli
import msgspec

MOST_BYTES = 1024 * 1024
"""The longest body that is read of a partner's or a target's answer, also once it is decoded: a
thousand times what the contracts' answers need."""
IDENTITY = {"Accept-Encoding": "identity"}
"""Asks for an answer as it is. RFC 9110, 12.5.3: a request that says nothing leaves the server the
choice; some compress all the same."""

_MOST_CODINGS = 2
_MOST_MEMBERS = 16
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class ContentProblem(ValueError):
    """A body that is too long, or is not what its Content-Encoding says."""


def decoded(content: bytes, codings: str, most: int = MOST_BYTES) -> bytes:
    """`content` without the codings that a Content-Encoding header names (gzip, deflate, br).

    Raises ContentProblem for others, for what is not coded so or is cut, and for more than `most`
    bytes: a small body can decode to gigabytes.
    """
    names = [name for part in codings.split(",") if (name := part.strip().lower())]
    names = [name for name in names if name != "identity"]
    if len(names) > _MOST_CODINGS:
        raise ContentProblem("its body is coded too often")
    for name in reversed(names):
        try:
            content = _decoded(name, content, most)
        except (zlib.error, brotli.error):
            raise ContentProblem(f"its body is not {name}, as it says") from None
        if len(content) > most:
            raise ContentProblem(f"its body decodes to more than {most} bytes")
    return content


def json_object(content: bytes) -> dict[str, Any] | None:
    """The JSON object that `content` is, in UTF-8; None when it is anything else."""
    try:
        return _decode(content.removeprefix(_BYTE_ORDER_MARK))
    except _UNREADABLE:
        return None


def _decoded(name: str, content: bytes, most: int) -> bytes:
    """At most `most` bytes and one more."""
    if not content:
        return content  # a 204 that says gzip
    if name in ("gzip", "x-gzip"):
        return _inflated(content, most, zlib.MAX_WBITS | 16)
    if name == "deflate":
        # RFC 9110 means zlib's format; many send the bare stream.
        bare = content[0] & 0x0F != zlib.DEFLATED or int.from_bytes(content[:2], "big") % 31 != 0
        return _inflated(content, most, -zlib.MAX_WBITS if bare else zlib.MAX_WBITS)
    if name == "br":
        decoder = brotli.Decompressor()
        found = decoder.process(content, output_buffer_limit=most + 1)
        while len(found) <= most and not decoder.can_accept_more_data():
            found += decoder.process(b"", output_buffer_limit=most + 1)
        if len(found) <= most and not decoder.is_finished():
            raise ContentProblem("its body is cut")
        return bytes(found)
    raise ContentProblem("its body has a coding that is not known here")


def _inflated(content: bytes, most: int, window: int) -> bytes:
    found = b""
    for _ in range(_MOST_MEMBERS):
        if not content or len(found) > most:
            return found
        decoder = zlib.decompressobj(window)
        found += decoder.decompress(content, most + 1 - len(found))
        if len(found) <= most and not decoder.eof:
            raise ContentProblem("its body is cut")
        content = decoder.unused_data  # gzip may have several members
    raise ContentProblem("its body is coded in too many parts")
