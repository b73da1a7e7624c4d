"""Step 4: the code is confirmed, and the bank verifies four elements and signs.

The code is spent by the bank's answer, not by the attempt: the binding leaves OTP_SENT when the
right code arrives, so that nobody can use it a second time, and comes back only when the bank
certainly did nothing. Wrong codes count in any case.
"""

from __future__ import annotations

from typing import Any

from mocks.lender.bindings import load, moved, shown_agreement, wrong_state
from mocks.lender.conclusion import Waiting, move_on, settle
from mocks.lender.context import Context
from mocks.lender.messages import LenderRequest, LenderResponse
from mocks.lender.partner import carry_out
from mocks.lender.partner_answers import NOT_PROCESSED, Verdict
from mocks.lender.partner_calls import is_open, order_no, start
from mocks.lender.records import Binding, PartnerCall
from mocks.lender.refusal import Refused, unavailable
from mocks.lender.store import Tx
from scenarios.contract import ErrorCode, State

_OPENING = Waiting(
    states=frozenset({State.VERIFYING}),
    done=State.VERIFIED,
    declined=State.REJECTED,
    again=State.OTP_SENT,
    did_nothing="bank did nothing",
    unknown="bank_unknown",
)
_SIGNED = frozenset({State.VERIFIED, State.AUTHORISED, State.PAYING, State.ACTIVE})


async def confirm(ctx: Context, request: LenderRequest) -> LenderResponse:
    """Check the code, then have the bank open the card."""
    otp = request.body.get("otp")
    digits = ctx.policy.otp.digits
    if not (isinstance(otp, str) and len(otp) == digits and otp.isascii() and otp.isdigit()):
        raise Refused(ErrorCode.INVALID_FIELD, f"otp must be {digits} digits", field="otp")
    binding_id = request.path.get("binding", "")
    now = ctx.world.now()

    def work(tx: Tx) -> tuple[Binding, Refused | None, bool]:
        binding = load(tx, binding_id)
        if binding.state == State.LOCKED:
            return binding, _locked(), False
        known = bool(binding.otp_hash) and ctx.vault.otp_matches(binding_id, otp, binding.otp_hash)
        if known and _repeats(binding):
            return binding, None, False
        if binding.state != State.OTP_SENT:
            raise wrong_state(binding)
        if now >= binding.otp_expires_at:
            raise Refused(ErrorCode.OTP_EXPIRED, "the code has expired; ask for a new one")
        if not known:
            return _count_wrong_code(ctx, tx, binding, now)
        binding = moved(binding, State.VERIFYING, now)
        tx.save(binding)
        start(ctx, tx, binding_id, "bank", "open", now)
        ctx.audit.append(tx, now, "verifying", binding_id)
        return binding, None, True

    # A wrong code is counted, so it is returned: raising would undo the counting.
    binding, refused, asks = await ctx.world.transact(work)
    if refused is not None:
        raise refused
    if not asks:
        return _reply(binding)
    verdict = await carry_out(ctx, "bank", "open", open_payload(ctx, binding))
    done_at = ctx.world.now()

    def store(tx: Tx) -> Binding:
        call = tx.get(PartnerCall, order_no(binding_id, "open"))
        if call is not None:
            conclude_open(ctx, tx, call, verdict, done_at, in_request=True)
        return load(tx, binding_id)

    return _reply(await ctx.world.transact(store), verdict)


def open_payload(ctx: Context, binding: Binding) -> dict[str, Any]:
    """What the bank is sent: the four elements, in clear."""
    binding_id, unseal = binding.binding_id, ctx.vault.unseal
    return {
        "order_no": order_no(binding_id, "open"),
        "card_number": unseal(binding.card_number, f"bindings.card_number:{binding_id}"),
        "holder": unseal(binding.holder, f"bindings.holder:{binding_id}"),
        "id_number": unseal(binding.id_number, f"bindings.id_number:{binding_id}"),
        "phone": unseal(binding.phone, f"bindings.phone:{binding_id}"),
    }


def conclude_open(
    ctx: Context, tx: Tx, call: PartnerCall, verdict: Verdict, now: float, *, in_request: bool
) -> None:
    """Store what the bank made of an opening; the first to know decides, later ones change
    nothing."""
    if not is_open(call):
        return
    binding = tx.get(Binding, call.binding_id)
    if settle(
        ctx,
        tx,
        call,
        verdict,
        now,
        waits=_OPENING.has(binding),
        in_request=in_request,
        accepts=ctx.policy.accept_later is not None,
    ):
        move_on(ctx, tx, binding, _OPENING, verdict, now, in_request=in_request)


def _count_wrong_code(
    ctx: Context, tx: Tx, binding: Binding, now: float
) -> tuple[Binding, Refused, bool]:
    tries = binding.otp_tries + 1
    left = ctx.policy.otp.tries - tries
    if left > 0:
        binding = moved(binding, binding.state, now, otp_tries=tries)
        refused = Refused(ErrorCode.OTP_WRONG, f"wrong code; {left} tries left")
    else:
        binding = moved(binding, State.LOCKED, now, otp_tries=tries, reason="otp_tries")
        refused = _locked()
    tx.save(binding)
    ctx.audit.append(tx, now, "otp_wrong", binding.binding_id, f"{tries} so far")
    return binding, refused, False


def _locked() -> Refused:
    return Refused(ErrorCode.OTP_LOCKED, "too many wrong codes; submit the card again")


def _repeats(binding: Binding) -> bool:
    """Whether the same code again gets the reply that follows from the state."""
    if binding.state == State.FAILED:
        return not binding.agreement_no
    return binding.state in _SIGNED or binding.state in (State.VERIFYING, State.REJECTED)


def _reply(binding: Binding, verdict: Verdict = NOT_PROCESSED) -> LenderResponse:
    state = binding.state
    if state in _SIGNED:
        return LenderResponse(
            200, {"state": str(state), "agreement": shown_agreement(binding.agreement_no)}
        )
    if state == State.VERIFYING:
        return LenderResponse(202, {"state": str(state)})
    if state in (State.REJECTED, State.FAILED):
        raise Refused(
            ErrorCode.BANK_DECLINED,
            "the bank did not confirm the card",
            reason=binding.reason,
            beside={"state": str(state)},
        )
    if state == State.OTP_SENT:
        raise unavailable(
            ErrorCode.BANK_UNAVAILABLE,
            "the bank cannot be reached; confirm the same code again",
            verdict,
            state,
        )
    raise wrong_state(binding)
