"""What the lender asks of the clock it runs in: virtual on SimPy, wall on asyncio."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Protocol, TypeVar

import msgspec

from mocks.lender.store import Tx

T = TypeVar("T")
Attempt = Callable[[], Coroutine[Any, Any, T]]
"""Starts a piece of work, which may run several times or never."""


FAILURES = {"refuse": "UNREACHABLE", "reset": "RESET", "hang": "TIMEOUT"}
"""What a caller makes of a broken connection, by transport."""


class CallFailed(Exception):
    """A gateway call brought no answer: `reason` is TIMEOUT, UNREACHABLE or RESET.

    Only UNREACHABLE says that the gateway did not get the request.
    """

    def __init__(self, gateway: str, op: str, reason: str) -> None:
        super().__init__(f"{gateway} {op}: {reason}")
        self.gateway = gateway
        self.op = op
        self.reason = reason


class GatewayAnswer(msgspec.Struct, frozen=True):
    """An answer over HTTP, whatever its status."""

    status: int
    body: dict[str, Any]


class Place(Protocol):
    """`async with` waits for a place and holds it."""

    def __aenter__(self) -> Awaitable[None]: ...
    def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> Awaitable[bool | None]: ...


class World(Protocol):
    """Everything the lender's coroutines await goes through here, and nothing else."""

    @property
    def node(self) -> str:
        """The name of this lender process, which signs its audit chain."""

    def now(self) -> float:
        """Seconds: since the epoch in wall time, since the run began in virtual time."""

    def sleep(self, seconds: float) -> Awaitable[None]:
        """Wait."""

    def call(
        self, gateway: str, op: str, payload: dict[str, Any], timeout: float
    ) -> Awaitable[GatewayAnswer]:
        """Call `bank`, `sms` or `payment`, waiting at most `timeout` seconds. Raises CallFailed."""

    def transact(self, work: Callable[[Tx], T]) -> Awaitable[T]:
        """Run `work` in one transaction and return its result once that is durable.

        `work` must be short, synchronous and free of I/O; what it raises rolls the transaction back
        and comes out here. It may run in another thread.
        """

    def limit(self, name: str) -> Place:
        """A place among those of the limit called `name` (waits in line for it)."""

    def identifier(self, prefix: str) -> str:
        """A new unique identifier, such as `bnd_...`: unpredictable in wall time."""

    def digits(self, count: int) -> str:
        """`count` decimal digits for a one-time code: unpredictable in wall time."""

    def uniform(self, *key: str | int) -> float:
        """A draw in [0, 1), such as the jitter of a retry; a function of `key` in virtual time."""

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Go on with `work` beside the request."""

    async def race(
        self, one: Attempt[GatewayAnswer], other: Attempt[GatewayAnswer], delay: float
    ) -> GatewayAnswer:
        """Start `one`, and `other` beside it unless `one` has ended within `delay` seconds; the
        answer of the first that succeeds. The loser runs to its own end. Raises CallFailed, the
        last one, when nobody succeeds; both may raise only that."""
