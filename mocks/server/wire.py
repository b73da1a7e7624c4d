"""JSON over HTTP: reading objects, writing answers, and the one shape of error bodies."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.client_exceptions import ClientPayloadError

from mocks.messages import DEFAULT_NAMESPACE

NAMESPACE_HEADER = "X-Bindrill-Namespace"
CUSTOMER_HEADER = "X-Bindrill-Customer"
MAX_JSON_BYTES = 64 * 1024

_JSON = {"Content-Type": "application/json; charset=utf-8"}
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_decode_any = msgspec.json.Decoder().decode


class Problem(Exception):
    """A request that is answered with an error body `{"error": {"code", "message", ...}}`."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field
        self.headers = headers

    def response(self) -> web.Response:
        """The HTTP answer."""
        error = {"code": self.code, "message": str(self)}
        if self.field:
            error["field"] = self.field
        return json_response({"error": error}, self.status, self.headers)


def too_large(most: int) -> Problem:
    """The answer to a body of more than `most` bytes."""
    return Problem(413, "BODY_TOO_LARGE", f"the body is larger than {most} bytes")


class ConnectionCut(Exception):
    """The connection was cut on purpose: there is nobody left to answer. `code` is for counting."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def json_response(
    body: Any, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """`body` as JSON."""
    return web.Response(
        body=_encode(body), status=status, headers={**_JSON, **headers} if headers else _JSON
    )


def namespace_of(request: web.Request) -> str:
    """The namespace a request asks for. Raises Problem (400)."""
    return _name_in(request, NAMESPACE_HEADER, "INVALID_NAMESPACE", DEFAULT_NAMESPACE)


def customer_of(request: web.Request) -> str:
    """The customer a request says it is from; empty if it does not. Raises Problem (400)."""
    return _name_in(request, CUSTOMER_HEADER, "INVALID_CUSTOMER", "")


def _name_in(request: web.Request, header: str, code: str, absent: str) -> str:
    name = request.headers.get(header)
    if name is None:
        return absent
    if _NAME.fullmatch(name) is None:
        raise Problem(
            400,
            code,
            f"{header} takes 1 to 64 letters, digits, dots, hyphens or underscores",
            field=header,
        )
    return name


def known_namespace(request: web.Request) -> str:
    """The namespace a request asks for; empty when there is none, or it cannot be."""
    name = request.headers.get(NAMESPACE_HEADER, "")
    return name if _NAME.fullmatch(name) is not None else ""


async def read_body(request: web.Request) -> bytes:
    """The whole body. Raises Problem: 413 beyond MAX_JSON_BYTES, 400 when it is cut."""
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise too_large(MAX_JSON_BYTES) from None
    except (ClientPayloadError, web.RequestPayloadError):
        raise Problem(400, "INVALID_BODY", "the body could not be read") from None


async def read_object(request: web.Request) -> dict[str, Any]:
    """The body as a JSON object. Raises Problem."""
    return parse_object(await read_body(request))


def parse_object(body: bytes, *, may_be_empty: bool = False) -> dict[str, Any]:
    """`body` as a JSON object; with `may_be_empty`, none counts as `{}`. Raises Problem (400)."""
    if may_be_empty and not body:
        return {}
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Problem(
            400, "INVALID_JSON", "the body is not a JSON object; send one, such as {}"
        ) from None


def parse_json(body: bytes) -> Any:
    """`body` as any JSON value. Raises Problem (400)."""
    try:
        return _decode_any(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Problem(400, "INVALID_JSON", "the body is not JSON") from None
