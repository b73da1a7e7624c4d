"""Steps 2 and 3: card details, and the one-time code to the phone reserved with the bank."""

from __future__ import annotations

from msgspec.structs import replace

from mocks.lender.bindings import LIFETIME, load, moved, wrong_state
from mocks.lender.context import Context
from mocks.lender.fields import text_field
from mocks.lender.messages import LenderRequest, LenderResponse
from mocks.lender.partner_fields import SmsReport
from mocks.lender.policies.deadline import NO_DEADLINE
from mocks.lender.records import Applicant, Binding
from mocks.lender.refusal import Refused
from mocks.lender.registration import DOCUMENT_KINDS
from mocks.lender.sms_answers import sms_refusal
from mocks.lender.sms_delivery import deliver, is_missing, send_unreported
from mocks.lender.store import Tx
from scenarios.contract import FINAL_STATES, ErrorCode, State
from scenarios.population.cards import masked

CODE_STATES = frozenset({State.CARD_SUBMITTED, State.OTP_SENT})
"""States in which a code may be sent."""


async def submit(ctx: Context, request: LenderRequest) -> LenderResponse:
    """Open a binding and send its first code. An unfinished binding of the same card by the same
    applicant is superseded."""
    if not request.idempotency_key:
        raise Refused(
            ErrorCode.INVALID_FIELD, "send an Idempotency-Key header", field="Idempotency-Key"
        )
    body = request.body
    applicant_id = text_field(body, "applicant_id")
    card_number = text_field(body, "card_number")
    holder = text_field(body, "holder")
    id_number = text_field(body, "id_number")
    phone = text_field(body, "phone")
    now = ctx.world.now()
    vault = ctx.vault
    binding_id = ctx.world.identifier("bnd")
    fresh = Binding(
        binding_id=binding_id,
        applicant_id=applicant_id,
        state=State.CARD_SUBMITTED,
        card_number=vault.seal(card_number, f"bindings.card_number:{binding_id}"),
        card_index=vault.blind_index(card_number, "card_number"),
        card_shown=masked(card_number),
        holder=vault.seal(holder, f"bindings.holder:{binding_id}"),
        id_number=vault.seal(id_number, f"bindings.id_number:{binding_id}"),
        phone=vault.seal(phone, f"bindings.phone:{binding_id}"),
        otp_asked_at=now,
        created_at=now,
        updated_at=now,
        expires_at=now + LIFETIME,
    )

    def work(tx: Tx) -> None:
        applicant = tx.get(Applicant, applicant_id)
        if applicant is None:
            raise Refused(ErrorCode.NOT_FOUND, "no such applicant", field="applicant_id")
        missing = [kind for kind in DOCUMENT_KINDS if kind not in applicant.documents]
        if missing:
            raise Refused(ErrorCode.DOCUMENTS_MISSING, f"upload first: {', '.join(missing)}")
        for other in tx.find(Binding, card_index=fresh.card_index, applicant_id=applicant_id):
            if other.state == State.ACTIVE:
                raise Refused(ErrorCode.ALREADY_BOUND, "this card is bound already")
            if other.state not in FINAL_STATES:
                tx.save(moved(other, State.EXPIRED, now, reason="superseded"))
                ctx.audit.append(tx, now, "superseded", other.binding_id)
        tx.add(fresh)
        ctx.audit.append(tx, now, "card_submitted", binding_id, fresh.card_shown)

    await ctx.world.transact(work)
    binding = await _send_code(ctx, fresh, phone)
    return LenderResponse(
        201,
        {
            "binding_id": binding_id,
            "state": str(binding.state),
            "card": binding.card_shown,
            "otp_expires_in": int(ctx.policy.otp.validity),
        },
    )


async def resend(ctx: Context, request: LenderRequest) -> LenderResponse:
    """Send a new code. The old one is void once the gateway has accepted the new one; tries go on
    counting."""
    binding_id = request.path.get("binding", "")
    now = ctx.world.now()

    def work(tx: Tx) -> Binding:
        binding = load(tx, binding_id)
        if binding.state not in CODE_STATES:
            raise wrong_state(binding)
        cooldown = ctx.policy.otp.cooldown
        if not cooldown:
            return binding
        rest = binding.otp_asked_at + cooldown - now
        if rest > 0:
            raise Refused(
                ErrorCode.SMS_LIMIT,
                "a code was sent just now; wait for it",
                reason="cooldown",
                retry_after=rest,
                beside={"binding_id": binding_id, "state": str(binding.state)},
            )
        # Stored before the message goes, so that requests at the same time cannot all pass.
        binding = replace(binding, otp_asked_at=now)
        tx.save(binding)
        return binding

    binding = await ctx.world.transact(work)
    phone = ctx.vault.unseal(binding.phone, f"bindings.phone:{binding_id}")
    binding = await _send_code(ctx, binding, phone)
    return LenderResponse(
        200, {"state": str(binding.state), "otp_expires_in": int(ctx.policy.otp.validity)}
    )


async def sms_report(ctx: Context, report: SmsReport) -> bool:
    """Take a delivery report; True when the message is one of ours. Reports of older messages and
    repeated ones change nothing."""
    binding_id, _, digits = report.out_id.rpartition("-")
    number = int(digits)

    def work(tx: Tx) -> bool:
        binding = tx.get(Binding, binding_id)
        # The report may be faster than the answer to the message that it is about.
        if binding is None or number > binding.otp_sent + 1:
            return False
        known = int(binding.otp_delivery.partition(" ")[0] or 0)
        delivery = f"{number} {report.status}"
        if number >= known and delivery != binding.otp_delivery:
            tx.save(replace(binding, otp_delivery=delivery))
        return True

    return await ctx.world.transact(work)


async def _send_code(ctx: Context, binding: Binding, phone: str) -> Binding:
    """Send a code and store its hash; the binding afterwards. Raises Refused."""
    otp = ctx.policy.otp
    binding_id = binding.binding_id
    code = ctx.world.digits(otp.digits)
    number = binding.otp_sent + 1
    # How long a code lasts is told in minutes, or in seconds below one.
    lasts = f"{otp.validity / 60:.0f}分钟" if otp.validity >= 60 else f"{otp.validity:.0f}秒"
    payload = {
        "phone": phone,
        "text": f"【Bindrill】验证码{code}，{lasts}内有效，请勿告知他人。",
        "out_id": f"{binding_id}-{number}",
    }
    sent = await deliver(ctx, payload, backup_first=is_missing(binding))
    beside = {"binding_id": binding_id, "state": str(binding.state)}
    refusal = sms_refusal(sent.answer, sent.withheld, beside)
    if refusal is not None:
        raise refusal
    hashed = ctx.vault.otp_hash(binding_id, code)
    now = ctx.world.now()

    def work(tx: Tx) -> Binding:
        current = load(tx, binding_id)
        if current.state not in CODE_STATES:
            raise wrong_state(current)
        current = moved(
            current,
            State.OTP_SENT,
            now,
            otp_hash=hashed,
            otp_expires_at=now + otp.validity,
            otp_sent=current.otp_sent + 1,
        )
        tx.save(current)
        ctx.audit.append(tx, now, "otp_sent", binding_id, f"message {current.otp_sent}")
        return current

    binding = await ctx.world.transact(work)
    if ctx.policy.sms.resend_unreported is not None:
        ctx.world.background(
            send_unreported(ctx.until(NO_DEADLINE), binding_id, binding.otp_sent, payload)
        )
    return binding
