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
    about_another,
    failed_call,
)
from mocks.lender.policies.backoff import backoff
from mocks.world import CallFailed

SETTLED = frozenset({Outcome.DONE, Outcome.DECLINED})


async def carry_out(ctx: Context, gateway: str, op: str, payload: dict[str, Any]) -> Verdict:
    """Do an order within a request, as far as the gateway's policies and the deadline go.

    Sends up to `attempts` times under the payload's `order_no`, backing off in between. Once an
    attempt may have arrived, asks up to `queries` times and sends again only when told that the
    order does not exist; with `after_no_answer: resend` it sends first, under the same number,
    and asks after the last attempt.
    """
    gate, policy = ctx.gates[gateway], ctx.gates[gateway].policy
    order_no = payload["order_no"]
    gate.request()
    verdict, doubtful = NOT_PROCESSED, False
    for attempt in range(1, policy.attempts + 1):
        if attempt > 1 and not await pause(ctx, gateway, attempt - 1, order_no):
            break
        verdict = await send(ctx, gateway, op, payload)
        if verdict.outcome in SETTLED:
            return verdict
        if verdict.outcome == Outcome.UNKNOWN:
            doubtful = True
            if verdict.unanswered and policy.after_no_answer == "resend":
                continue
            verdict = await _ask_repeatedly(ctx, gateway, order_no)
            if verdict.outcome != Outcome.NOT_PROCESSED:
                return verdict
            doubtful = False
        if verdict.withheld:
            break
    # An earlier attempt may have been done, whatever became of the later ones.
    return await _ask_repeatedly(ctx, gateway, order_no) if doubtful else verdict


async def send(ctx: Context, gateway: str, op: str, payload: dict[str, Any]) -> Verdict:
    """Send the order once."""
    try:
        answer = await ctx.gates[gateway].call(ctx.world, op, payload, ctx.deadline)
    except CallFailed as failure:
        return failed_call(failure)
    if about_another(answer, payload["order_no"]):
        return UNKNOWN
    verdict = MEANINGS[gateway, op](answer)
    believes = ctx.gates[gateway].policy.server_error == "declined"
    if believes and answer.status >= 500 and verdict.outcome == Outcome.UNKNOWN:
        return Verdict(Outcome.DECLINED, "server_error")
    return verdict


async def ask(ctx: Context, gateway: str, order_no: str) -> Verdict:
    """Ask once what became of an order."""
    try:
        answer = await ctx.gates[gateway].call(
            ctx.world, "query", {"order_no": order_no}, ctx.deadline
        )
    except CallFailed:
        return UNKNOWN
    if about_another(answer, order_no):
        return UNKNOWN
    return MEANINGS[gateway, "query"](answer)


async def pause(ctx: Context, gate_name: str, retry: int, key: str) -> bool:
    """Wait before the `retry`-th retry (from 1); False when there should be none, because the
    retry budget is empty or the wait would outlast the deadline."""
    gate = ctx.gates[gate_name]
    seconds = backoff(gate.policy, retry, ctx.world.uniform("backoff", gate_name, key, retry))
    if seconds >= ctx.deadline.left(ctx.world.now()) or not gate.may_retry():
        return False
    await ctx.world.sleep(seconds)
    return True


async def _ask_repeatedly(ctx: Context, gateway: str, order_no: str) -> Verdict:
    gate = ctx.gates[gateway]
    for query in range(gate.policy.queries):
        if gate.policy.query_after >= ctx.deadline.left(ctx.world.now()):
            break
        # The first question is owed: without it nobody may repeat the order.
        if query and not gate.may_retry():
            break
        await ctx.world.sleep(gate.policy.query_after)
        verdict = await ask(ctx, gateway, order_no)
        if verdict.outcome != Outcome.UNKNOWN:
            return verdict
    return UNKNOWN
