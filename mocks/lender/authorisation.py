"""Step 5: the customer accepts the terms and the consent scopes."""

from __future__ import annotations

from mocks.lender.bindings import load, moved, wrong_state
from mocks.lender.context import Context
from mocks.lender.fields import text_field
from mocks.lender.messages import LenderRequest, LenderResponse
from mocks.lender.refusal import Refused
from mocks.lender.store import Tx
from scenarios.contract import CONSENT_SCOPES, TERMS_VERSION, ErrorCode, State

_AUTHORISED = frozenset({State.AUTHORISED, State.PAYING, State.ACTIVE})


async def authorise(ctx: Context, request: LenderRequest) -> LenderResponse:
    """Record the agreement; again is the same as once."""
    terms_version = text_field(request.body, "terms_version")
    consents = request.body.get("consents")
    if not (isinstance(consents, list) and all(isinstance(scope, str) for scope in consents)):
        raise Refused(ErrorCode.INVALID_FIELD, "consents must be a list of texts", field="consents")
    if terms_version != TERMS_VERSION:
        raise Refused(
            ErrorCode.TERMS_STALE,
            f"the terms in force are {TERMS_VERSION}",
            field="terms_version",
        )
    missing = [scope for scope in CONSENT_SCOPES if scope not in consents]
    if missing:
        raise Refused(
            ErrorCode.CONSENT_MISSING,
            f"consent is missing: {', '.join(missing)}",
            field="consents",
            reason=missing[0],
        )
    binding_id = request.path.get("binding", "")
    now = ctx.world.now()

    def work(tx: Tx) -> State:
        binding = load(tx, binding_id)
        if binding.state in _AUTHORISED:
            return binding.state
        if binding.state != State.VERIFIED:
            raise wrong_state(binding)
        tx.save(
            moved(
                binding,
                State.AUTHORISED,
                now,
                terms_version=terms_version,
                consents=CONSENT_SCOPES,
            )
        )
        ctx.audit.append(tx, now, "authorised", binding_id, f"terms {terms_version}")
        return State.AUTHORISED

    return LenderResponse(200, {"state": str(await ctx.world.transact(work))})
