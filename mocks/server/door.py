"""What a request must look like before any of it is worked on.

A loopback address is no login: every web page that is open on this machine can send requests to
it. Pages of other origins, and names that are not this server's, are turned away; bodies are
bounded and taken as they are, never decompressed.
"""

from __future__ import annotations

from typing import Literal

from aiohttp import web

from mocks.server.hosts import Hosts, authority_of
from mocks.server.uploads import FORM_OVERHEAD, MAX_UPLOAD_BYTES, form_too_large
from mocks.server.wire import MAX_JSON_BYTES, Problem, too_large

Takes = Literal["json", "form"]
LARGEST: dict[Takes, int] = {"json": MAX_JSON_BYTES, "form": MAX_UPLOAD_BYTES + FORM_OVERHEAD}
"""Bytes of a body, by what a route takes."""

_OURS = ("same-origin", "none")
_UTF_8 = ("utf-8", "utf8")


class Door:
    """Lets requests to one service in, or says why not."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts

    def admit(self, request: web.Request, takes: Takes = "json") -> None:
        """Raises Problem: 421 for a name that is not ours, 403 for a page of another origin, 415
        for a body that is compressed or of another type than the route `takes`, 413 for one that is
        announced too large."""
        headers = request.headers
        host = headers.get("Host", "")
        asked = authority_of(request.raw_path)
        if not self._hosts.serves(host) or (asked is not None and not self._hosts.serves(asked)):
            raise Problem(
                421,
                "HOST_NOT_SERVED",
                "this server does not go by the name in the Host header; use the address that it is"
                " bound to, or start it with --allow-host NAME",
                field="Host",
            )
        origin = headers.get("Origin")
        if origin is not None and origin.lower() not in _origins(host):
            raise _foreign("Origin")
        if headers.get("Sec-Fetch-Site", "none") not in _OURS:
            raise _foreign("Sec-Fetch-Site")
        if "Content-Encoding" in headers or "Transfer-Encoding" in headers:
            _check_encodings(request)
        if request.body_exists:
            _check_body(request, takes)


def _origins(host: str) -> tuple[str, str]:
    return f"http://{host.lower()}", f"https://{host.lower()}"


def _foreign(field: str) -> Problem:
    return Problem(
        403,
        "FOREIGN_ORIGIN",
        "web pages of another origin may not call this server; call it from a program",
        field=field,
    )


def _check_encodings(request: web.Request) -> None:
    headers = request.headers
    if any(value.strip().lower() != "identity" for value in headers.getall("Content-Encoding", ())):
        raise Problem(
            415,
            "CONTENT_ENCODING",
            "send the body as it is, without Content-Encoding",
            field="Content-Encoding",
            headers={"Accept-Encoding": "identity"},
        )
    if any(value.strip().lower() != "chunked" for value in headers.getall("Transfer-Encoding", ())):
        raise Problem(
            501, "TRANSFER_ENCODING", "Transfer-Encoding takes chunked", field="Transfer-Encoding"
        )


def _check_body(request: web.Request, takes: Takes) -> None:
    if (request.content_length or 0) > LARGEST[takes]:
        raise form_too_large() if takes == "form" else too_large(MAX_JSON_BYTES)
    # A form's type is read with the form.
    if takes == "json" and not _is_json(request.headers.get("Content-Type", "")):
        raise Problem(
            415,
            "CONTENT_TYPE",
            "send the body as JSON, with Content-Type: application/json",
            field="Content-Type",
        )


def _is_json(content_type: str) -> bool:
    if content_type == "application/json":
        return True
    kind, *parameters = content_type.split(";")
    if kind.strip().lower() != "application/json":
        return False
    named = (parameter.partition("=") for parameter in parameters)
    return all(
        value.strip().strip('"').lower() in _UTF_8
        for name, _, value in named
        if name.strip().lower() == "charset"
    )
