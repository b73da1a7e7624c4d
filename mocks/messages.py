"""The words that gateway models speak with whoever runs them. No clocks, no sockets."""

from __future__ import annotations

from typing import Any

import msgspec

from scenarios.faults.base import Manner, Transport

DEFAULT_NAMESPACE = "default"


class Call(msgspec.Struct, frozen=True, gc=False):
    """One request to a gateway. `namespace` keeps parallel tests on one server apart."""

    op: str
    payload: dict[str, Any]
    namespace: str = DEFAULT_NAMESPACE


class Reply(msgspec.Struct, gc=False):
    """What the gateway answers, and when.

    `status`: HTTP status. `code`: the outcome in the gateway's own table, as counted in reports.
    `delay`: seconds from the call to the moment the answer leaves. `transport` other than `ok`: no
    answer comes (`hang`: never; the caller must give up). `manner`: the body is cut in the middle,
    or is no JSON. `hold`: seconds for which the connection that ends the answer stays open.
    """

    status: int
    body: dict[str, Any]
    code: str
    delay: float = 0.0
    transport: Transport = "ok"
    manner: Manner = "whole"
    hold: float = 0.0


class Timer(msgspec.Struct, frozen=True, gc=False):
    """Ask to be woken: the runner calls `gateway.fire(timer, now)` at `at` (seconds)."""

    at: float
    event: str
    key: str
    namespace: str = DEFAULT_NAMESPACE


class Notification(msgspec.Struct, frozen=True, gc=False):
    """A callback to deliver now; the runner reports back through `gateway.delivered`.

    `op` names the lender's callback (`sms_report`, `payment_notify`); `url` is where a live server
    posts it, empty for the server's own default. `attempt` counts from 1.
    """

    op: str
    key: str
    body: dict[str, Any]
    attempt: int = 1
    url: str = ""
    namespace: str = DEFAULT_NAMESPACE


class Arrived(msgspec.Struct, frozen=True, gc=False):
    """A message reached the handset of `phone`: wake whoever reads there."""

    phone: str
    namespace: str = DEFAULT_NAMESPACE


FollowUp = Timer | Notification | Arrived


class CallRecord(msgspec.Struct, frozen=True, gc=False):
    """One call as counted in reports: nothing in it names a person.

    `at`: seconds since the run began; `delay`: seconds until the answer left, infinite for a hang.
    """

    at: float
    gateway: str
    op: str
    issuer: str
    code: str
    status: int
    delay: float
    transport: Transport
    namespace: str
