"""Idempotency keys: the first reply to a key is kept and given again for 24 h.

Kept are replies that tell what became of the request. Refusals before any work, 202 (not known yet)
and replies that ask to try again (429, 5xx) release the key, so that trying again can succeed.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from mocks.lender.context import Context
from mocks.lender.messages import LenderRequest, LenderResponse
from mocks.lender.records import IdempotentReply
from mocks.lender.refusal import Refused
from mocks.lender.store import Duplicate, Tx
from scenarios.contract import ErrorCode

KEPT_FOR = 86_400.0
KEPT_STATUSES = frozenset({200, 201, 402, 403, 410, 423})
ABANDONED_AFTER = 60.0
"""Seconds after which a key still in progress is taken to be left behind by a node that died."""
LONGEST_KEY = 255

_canonical = msgspec.json.Encoder(order="deterministic").encode


class Keys:
    """The idempotency keys of one life of a lender node."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._owner = f"{ctx.world.node}/{ctx.world.identifier('life')}"

    async def claim(self, request: LenderRequest) -> LenderResponse | None:
        """Begin under the request's key; the kept reply if there is one. Raises Refused."""
        ctx = self._ctx
        if len(request.idempotency_key) > LONGEST_KEY:
            raise Refused(
                ErrorCode.INVALID_FIELD,
                f"an idempotency key has at most {LONGEST_KEY} characters",
                field="Idempotency-Key",
            )
        now = ctx.world.now()
        mine = IdempotentReply(
            key=_scoped(request),
            fingerprint=ctx.vault.blind_index(_content(request), "idempotency"),
            owner=self._owner,
            created_at=now,
            expires_at=now + KEPT_FOR,
        )

        def work(tx: Tx) -> LenderResponse | None:
            kept = tx.get(IdempotentReply, mine.key)
            if kept is None:
                tx.add(mine)
                return None
            if kept.fingerprint != mine.fingerprint:
                raise Refused(
                    ErrorCode.IDEMPOTENCY_MISMATCH, "this key came before with another request"
                )
            if kept.status:
                return LenderResponse(kept.status, msgspec.json.decode(kept.body))
            if not self._left_behind(kept, now):
                raise Refused(ErrorCode.IN_FLIGHT, "the first request is running", retry_after=1)
            tx.save(mine)
            return None

        try:
            return await ctx.world.transact(work)
        except Duplicate:
            # Another node entered the same key meanwhile.
            raise Refused(
                ErrorCode.IN_FLIGHT, "the first request is running", retry_after=1
            ) from None

    async def settle(self, request: LenderRequest, response: LenderResponse) -> None:
        """Keep the reply, or release the key."""
        body = msgspec.json.encode(response.body) if response.status in KEPT_STATUSES else b""

        def work(tx: Tx) -> None:
            kept = tx.get(IdempotentReply, _scoped(request))
            if kept is None or kept.owner != self._owner:
                return
            if body:
                tx.save(replace(kept, status=response.status, body=body))
            else:
                tx.remove(kept)

        await self._ctx.world.transact(work)

    def _left_behind(self, kept: IdempotentReply, now: float) -> bool:
        node = self._owner.partition("/")[0]
        earlier_life = kept.owner != self._owner and kept.owner.partition("/")[0] == node
        return earlier_life or now - kept.created_at >= ABANDONED_AFTER


def _scoped(request: LenderRequest) -> str:
    return f"{request.op}:{request.idempotency_key}"


def _content(request: LenderRequest) -> str:
    content: tuple[dict[str, str], dict[str, Any]] = (request.path, request.body)
    return _canonical(content).decode()
