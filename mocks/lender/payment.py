"""Step 6: 1 fen is charged under the new agreement, and refunded.

A binding has one charge order number for ever, so it is charged once at most; every successful
charge is refunded, also one that becomes known after the binding has ended.
"""

from __future__ import annotations

from typing import Any

from mocks.lender.bindings import load, moved, shown_agreement, wrong_state
from mocks.lender.conclusion import Waiting, move_on, settle
from mocks.lender.context import Context
from mocks.lender.messages import LenderRequest, LenderResponse
from mocks.lender.partner import carry_out
from mocks.lender.partner_answers import Outcome, Verdict, trade_verdict
from mocks.lender.partner_calls import finish, is_open, order_no, put_off, start
from mocks.lender.partner_fields import AMOUNT_FEN, PaymentNotice
from mocks.lender.policies.deadline import NO_DEADLINE
from mocks.lender.records import Binding, PartnerCall
from mocks.lender.refusal import Refused, unavailable
from mocks.lender.store import Tx
from scenarios.contract import ErrorCode, State

_CHARGE = Waiting(
    states=frozenset({State.AUTHORISED, State.PAYING}),
    done=State.ACTIVE,
    declined=State.FAILED,
    again=State.AUTHORISED,
    did_nothing="payment gateway did nothing",
    unknown="payment_unknown",
)


async def test_payment(ctx: Context, request: LenderRequest) -> LenderResponse:
    """Charge, and activate the binding; the refund follows behind the reply."""
    binding_id = request.path.get("binding", "")
    now = ctx.world.now()

    def work(tx: Tx) -> tuple[Binding, bool]:
        binding = load(tx, binding_id)
        if binding.state != State.AUTHORISED:
            return binding, False
        binding = moved(binding, State.PAYING, now)
        tx.save(binding)
        start(ctx, tx, binding_id, "payment", "charge", now)
        ctx.audit.append(tx, now, "paying", binding_id, f"{AMOUNT_FEN} fen")
        return binding, True

    binding, charges = await ctx.world.transact(work)
    if not charges:
        return _reply(binding)
    verdict = await carry_out(ctx, "payment", "charge", charge_payload(binding))
    done_at = ctx.world.now()

    def store(tx: Tx) -> tuple[Binding, PartnerCall | None]:
        call = tx.get(PartnerCall, order_no(binding_id, "charge"))
        refund = None
        if call is not None:
            refund = conclude_charge(ctx, tx, call, verdict, done_at, in_request=True)
        return load(tx, binding_id), refund

    binding, refund = await ctx.world.transact(store)
    if refund is not None:
        ctx.world.background(give_back(ctx.until(NO_DEADLINE), refund))
    return _reply(binding, verdict)


async def payment_notify(ctx: Context, notice: PaymentNotice) -> bool:
    """Take a notification; True when the order is ours. It may come before the charge's reply,
    late, or twice."""
    verdict = trade_verdict(notice.trade_state, notice.reason)
    now = ctx.world.now()

    def work(tx: Tx) -> tuple[bool, PartnerCall | None]:
        call = tx.get(PartnerCall, notice.order_no)
        if call is None or call.gateway != "payment":
            return False, None
        if verdict.outcome not in (Outcome.DONE, Outcome.DECLINED):
            return True, None
        if call.op == "refund":
            conclude_refund(ctx, tx, call, verdict, now)
            return True, None
        return True, conclude_charge(ctx, tx, call, verdict, now, in_request=False)

    known, refund = await ctx.world.transact(work)
    if refund is not None:
        ctx.world.background(give_back(ctx, refund))
    return known


async def give_back(ctx: Context, refund: PartnerCall) -> None:
    """Send a refund that was just entered."""
    verdict = await carry_out(ctx, "payment", "refund", refund_payload(refund))
    now = ctx.world.now()

    def store(tx: Tx) -> None:
        call = tx.get(PartnerCall, refund.call_id)
        if call is not None:
            conclude_refund(ctx, tx, call, verdict, now)

    await ctx.world.transact(store)


def charge_payload(binding: Binding) -> dict[str, Any]:
    """What the payment gateway is sent for the charge."""
    return {
        "order_no": order_no(binding.binding_id, "charge"),
        "agreement_no": binding.agreement_no,
        "amount_fen": AMOUNT_FEN,
    }


def refund_payload(refund: PartnerCall) -> dict[str, Any]:
    """What the payment gateway is sent for the refund."""
    return {
        "order_no": refund.call_id,
        "original_order_no": order_no(refund.binding_id, "charge"),
        "amount_fen": AMOUNT_FEN,
    }


def conclude_charge(
    ctx: Context, tx: Tx, call: PartnerCall, verdict: Verdict, now: float, *, in_request: bool
) -> PartnerCall | None:
    """Store what became of a charge, from whichever source it is known first. Returns the refund
    that it entered, for the caller to send."""
    if not is_open(call):
        return None
    binding = tx.get(Binding, call.binding_id)
    waits = _CHARGE.has(binding)
    if not settle(ctx, tx, call, verdict, now, waits=waits, in_request=in_request):
        return None
    refund = None
    if verdict.outcome == Outcome.DONE:
        refund = start(ctx, tx, call.binding_id, "payment", "refund", now)
        ctx.audit.append(tx, now, "charged", call.binding_id, f"{AMOUNT_FEN} fen")
    move_on(ctx, tx, binding, _CHARGE, verdict, now, in_request=in_request)
    return refund


def conclude_refund(ctx: Context, tx: Tx, call: PartnerCall, verdict: Verdict, now: float) -> None:
    """Store what became of a refund; one that did not happen yet stays with the outbox."""
    if not is_open(call):
        return
    if verdict.outcome in (Outcome.DONE, Outcome.DECLINED):
        finish(tx, call, verdict.outcome, now)
        action = "refunded" if verdict.outcome == Outcome.DONE else "refund_refused"
        ctx.audit.append(tx, now, action, call.binding_id, verdict.reason)
    else:
        put_off(ctx, tx, call, now)


def _reply(binding: Binding, verdict: Verdict | None = None) -> LenderResponse:
    state = binding.state
    if state == State.ACTIVE:
        return LenderResponse(
            200, {"state": str(state), "agreement": shown_agreement(binding.agreement_no)}
        )
    if state == State.PAYING:
        return LenderResponse(202, {"state": str(state)})
    if state == State.FAILED and binding.agreement_no:
        raise Refused(
            ErrorCode.PAYMENT_DECLINED,
            "the test payment failed",
            reason=binding.reason,
            beside={"state": str(state)},
        )
    if state == State.AUTHORISED and verdict is not None:
        raise unavailable(
            ErrorCode.PAYMENT_UNAVAILABLE,
            "the payment gateway cannot be reached; try again",
            verdict,
            state,
        )
    raise wrong_state(binding)
