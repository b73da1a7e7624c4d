"""Talking to the bank and the payment gateway about one order: send, ask, and when to repeat."""

from __future__ import annotations

from typing import Any

from mocks.lender.context import Context
from mocks.lender.partner_answers import (
    MEANINGS,
    NOT_PROCESSED,
    UNKNOWN,
    Outcome,
    Verdict,
    failed_call,
)
from mocks.world import CallFailed
from scenarios.policy import CallPolicy

SETTLED = frozenset({Outcome.DONE, Outcome.DECLINED})


async def carry_out(ctx: Context, gateway: str, op: str, payload: dict[str, Any]) -> Verdict:
    """Do an order within a request, as far as the gateway's policy goes.

    Sends up to `attempts` times under the payload's `order_no`, with doubling pauses; once an
    attempt may have arrived, asks up to `queries` times and sends again only when told that the
    order does not exist.
    """
    policy = _policy(ctx, gateway)
    for attempt in range(policy.attempts):
        if attempt:
            await ctx.world.sleep(policy.backoff * 2 ** (attempt - 1))
        verdict = await send(ctx, gateway, op, payload)
        if verdict.outcome == Outcome.UNKNOWN:
            verdict = await _ask_repeatedly(ctx, gateway, payload["order_no"])
        if verdict.outcome != Outcome.NOT_PROCESSED:
            return verdict
    return NOT_PROCESSED


async def send(ctx: Context, gateway: str, op: str, payload: dict[str, Any]) -> Verdict:
    """Send the order once."""
    try:
        async with ctx.world.limit(gateway):
            answer = await ctx.world.call(gateway, op, payload, _policy(ctx, gateway).timeout)
    except CallFailed as failure:
        return failed_call(failure)
    return MEANINGS[gateway, op](answer)


async def ask(ctx: Context, gateway: str, order_no: str) -> Verdict:
    """Ask once what became of an order."""
    payload = {"order_no": order_no}
    try:
        async with ctx.world.limit(gateway):
            answer = await ctx.world.call(gateway, "query", payload, _policy(ctx, gateway).timeout)
    except CallFailed:
        return UNKNOWN
    return MEANINGS[gateway, "query"](answer)


async def _ask_repeatedly(ctx: Context, gateway: str, order_no: str) -> Verdict:
    policy = _policy(ctx, gateway)
    for _ in range(policy.queries):
        await ctx.world.sleep(policy.query_after)
        verdict = await ask(ctx, gateway, order_no)
        if verdict.outcome != Outcome.UNKNOWN:
            return verdict
    return UNKNOWN


def _policy(ctx: Context, gateway: str) -> CallPolicy:
    return ctx.policy.bank if gateway == "bank" else ctx.policy.payment
