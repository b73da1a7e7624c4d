"""Getting a message accepted: attempts at the first carrier, then at the second."""

from __future__ import annotations

import msgspec

from mocks.lender.context import Context
from mocks.lender.partner import pause
from mocks.lender.policies.withheld import Withheld
from mocks.lender.records import Binding
from mocks.lender.sms_answers import final_for_number, worth_repeating
from mocks.lender.store import StoreUnavailable
from mocks.world import CallFailed, GatewayAnswer
from scenarios.contract import State

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


async def send_unreported(
    ctx: Context, binding_id: str, number: int, payload: dict[str, str]
) -> None:
    """Send the `number`-th code of a binding once more if no report has said by the policy's time
    that it is delivered, and it is still waited for."""
    seconds = ctx.policy.sms.resend_unreported
    if seconds is None:
        return
    await ctx.world.sleep(seconds)
    try:
        binding = await ctx.world.transact(lambda tx: tx.get(Binding, binding_id))
    except StoreUnavailable:
        return
    if binding is None or binding.state != State.OTP_SENT or binding.otp_sent != number:
        return
    if is_missing(binding) and ctx.gates["sms"].may_retry():
        ctx.decisions.count("resend_unreported", "sent", "sms")
        await deliver(ctx, payload, backup_first=True)


def is_missing(binding: Binding) -> bool:
    """Whether the last code was accepted by a carrier and not reported as delivered."""
    return binding.otp_sent > 0 and binding.otp_delivery != f"{binding.otp_sent} DELIVRD"


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
