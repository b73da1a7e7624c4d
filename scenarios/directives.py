"""What a journey asks of the clock that plays it, and what it is sent back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec


class Request(msgspec.Struct, frozen=True, gc=False):
    """Call one operation of the lender's public contract (`scenarios.contract.OPERATIONS`).

    `path` fills the path template, `body` is the JSON body, `image` renders the uploaded picture
    (called in wall time only; virtual time needs no bytes), `timeout` is how long the customer's
    app waits, in seconds. The player sends back an `Answer`.
    """

    op: str
    body: dict[str, Any] = {}
    path: dict[str, str] = {}
    idempotency_key: str = ""
    image: Callable[[], bytes] | None = None
    attempt: int = 1
    timeout: float = 30.0


class Answer(msgspec.Struct, frozen=True, gc=False):
    """The reply to a `Request`: `status` 0 when none came, and then `code` says why (`TIMEOUT`,
    `UNREACHABLE`, `RESET`; in wall time also `BAD_ANSWER`, `TESTBED_LIMIT`)."""

    status: int
    body: dict[str, Any]
    code: str


def answered(status: int, body: dict[str, Any]) -> Answer:
    """The `Answer` of an HTTP reply: code OK of a success, else the contract's `error.code`."""
    if 200 <= status < 300:
        return Answer(status, body, "OK")
    return Answer(status, body, str(body.get("error", {}).get("code", status)))


class Think(msgspec.Struct, frozen=True, gc=False):
    """Do nothing for `seconds`. The player sends back None."""

    seconds: float


class ReadOtp(msgspec.Struct, frozen=True, gc=False):
    """Wait at the handset of `phone` for a message newer than the first `seen`.

    The player sends back a `Message`, or None when `patience` seconds pass without one.
    """

    phone: str
    seen: int
    patience: float


class Message(msgspec.Struct, frozen=True, gc=False):
    """The newest message on the handset: its text, and how many there are by now."""

    text: str
    seen: int


class Now(msgspec.Struct, frozen=True, gc=False):
    """Ask for the seconds since the run began. The player sends back a float."""


Directive = Request | Think | ReadOtp | Now


class Ending(msgspec.Struct, frozen=True, gc=False):
    """How a journey ended: the binding's state (`ACTIVE`, `REJECTED`, `EXPIRED`, `LOCKED`,
    `FAILED`) or `ABANDONED`, and the cause in one word."""

    state: str
    cause: str


BEWILDERED = Ending("FAILED", "journey_error")
"""How a journey ends that met an answer which does not speak the contract."""
