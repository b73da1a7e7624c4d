"""Calls to a server's admin API, from the process that steers a run (no gevent there)."""

from __future__ import annotations

from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec

TIMEOUT = 5.0
"""Seconds."""


class AdminProblem(Exception):
    """An admin API does not do what a run needs; the message is one line."""


def call_admin(
    url: str, method: str, path: str, body: Any = None, token: str = ""
) -> tuple[int, bytes]:
    """Call `/__admin<path>` at the server `url`, with its admin token if it has one: the answer's
    status and body.

    Raises AdminProblem when no answer comes.
    """
    return fetch(f"{url}/__admin{path}", method, body, token)


def fetch(url: str, method: str = "GET", body: Any = None, token: str = "") -> tuple[int, bytes]:
    """Call `url`: the answer's status and body. Raises AdminProblem when no answer comes."""
    data = None if body is None else msgspec.json.encode(body)
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = Request(url, data, headers, method=method)  # noqa: S310  # http:// addresses
    try:
        with urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            return answer.status, answer.read()
    except HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read()
    except (OSError, HTTPException) as failure:
        raise AdminProblem(f"{url} does not answer: {failure}") from None
