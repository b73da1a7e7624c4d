"""Getting a message accepted: attempts at the first carrier, then at the second."""

from __future__ import annotations

import msgspec

from mocks.lender.context import Context
from mocks.lender.partner import pause
from mocks.lender.policies.withheld import Withheld
from mocks.lender.sms_answers import final_for_number, worth_repeating
from mocks.world import CallFailed, GatewayAnswer

ROUTES = {"sms": "send", "sms_backup": "send_backup"}
"""Operation of the SMS gateway by gate, in the order they are tried."""


class Sent(msgspec.Struct, frozen=True):
    """The last attempt's answer; None if there was none, `withheld` if a policy kept it back."""

    answer: GatewayAnswer | None = None
    withheld: Withheld | None = None


async def deliver(ctx: Context, payload: dict[str, str], *, backup_first: bool) -> Sent:
    """Hand a message over. With `fallback`, the second carrier gets it when the first refuses it or
    cannot be reached, or the other way round for a message that the first has lost."""
    routes = list(ROUTES) if ctx.policy.sms.fallback else ["sms"]
    if backup_first:
        routes.reverse()
    sent = Sent()
    for route in routes:
        if route == "sms_backup":
            ctx.decisions.count("sms_fallback", "sent", route)
        sent = await _attempt(ctx, route, payload)
        if sent.answer is not None and final_for_number(sent.answer):
            break
    return sent


async def _attempt(ctx: Context, route: str, payload: dict[str, str]) -> Sent:
    gate = ctx.gates[route]
    gate.request()
    sent = Sent()
    for attempt in range(1, gate.policy.attempts + 1):
        if attempt > 1 and not await pause(ctx, route, attempt - 1, payload["out_id"]):
            break
        try:
            sent = Sent(await gate.call(ctx.world, ROUTES[route], payload, ctx.deadline))
        except Withheld as withheld:
            return Sent(withheld=withheld)
        except CallFailed:
            sent = Sent()
        # A message that arrives twice carries the same code: sending again does no harm.
        if not worth_repeating(sent.answer):
            break
    return sent
