"""Bodies of answers: decoded as they say, within bounds, and read as JSON or not at all."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from functools import partial

import brotli
import pytest

from mocks.content import MOST_BYTES, ContentProblem, decoded, json_object

TEXT = b'{"a": 1}' * 100
zipped = partial(gzip.compress, mtime=0)  # the same bytes in every process


@pytest.mark.parametrize(
    ("codings", "body"),
    [
        ("", TEXT),
        ("identity", TEXT),
        ("gzip", zipped(TEXT)),
        ("X-GZIP", zipped(TEXT)),
        ("gzip", zipped(TEXT[:300]) + zipped(TEXT[300:])),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", zlib.compress(TEXT)[2:-4]),
        ("br", brotli.compress(TEXT)),
        ("gzip, br", brotli.compress(zipped(TEXT))),
    ],
)
def test_a_coded_body_is_decoded(codings: str, body: bytes) -> None:
    assert decoded(body, codings) == TEXT


def test_no_body_has_no_coding() -> None:
    assert decoded(b"", "gzip") == b""


BOMBS = {
    "gzip": zipped(bytes(40_000_000)),
    "br": brotli.compress(bytes(40_000_000), quality=5),
    "deflate": zlib.compress(bytes(40_000_000)),
    "gzip, gzip": zipped(zipped(bytes(40_000_000))),
}


@pytest.mark.parametrize("codings", BOMBS)
def test_a_bomb_is_given_up_at_the_bound(codings: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ContentProblem, match=str(MOST_BYTES)):
            decoded(BOMBS[codings], codings)
        assert tracemalloc.get_traced_memory()[1] < 8 * MOST_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("codings", "body"),
    [
        ("gzip", b"{}"),
        ("gzip", zipped(TEXT)[:-3]),
        ("gzip", zipped(b"") * 50_000),
        ("deflate", b"\xff\xff"),
        ("br", b"{} or so"),
        ("br", brotli.compress(bytes(range(256)))[:-3]),
        ("zstd", TEXT),
        ("gzip, gzip, gzip", zipped(zipped(zipped(TEXT)))),
    ],
)
def test_what_is_not_coded_as_it_says_is_a_problem(codings: str, body: bytes) -> None:
    with pytest.raises(ContentProblem):
        decoded(body, codings)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"[]", b"1", b"NaN", b'"x"', b"null", b"<html>", b"{", b'{"a": 1e999}'),
        *(b'{"a": "\\ud800"}', b'{"a": "\xff"}', '{"a": 1}'.encode("utf-16")),
        *(b'{"a":' * 100_000, b'{"a": ' + b"1" * 5000 + b"}"),
    ],
)
def test_what_is_no_json_object_in_utf_8_is_none(content: bytes) -> None:
    assert json_object(content) is None


def test_a_byte_order_mark_is_no_part_of_the_json() -> None:
    assert json_object(b'\xef\xbb\xbf{"a": 1, "a": 2}') == {"a": 2}
