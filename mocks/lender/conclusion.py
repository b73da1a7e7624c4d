"""What a partner's verdict makes of the call and of the binding that waits for it."""

from __future__ import annotations

from typing import NamedTuple

from mocks.lender.bindings import moved
from mocks.lender.context import Context
from mocks.lender.partner_answers import Outcome, Verdict
from mocks.lender.partner_calls import GAVE_UP, NOT_PROCESSED, accept, finish, gives_up, put_off
from mocks.lender.records import Binding, PartnerCall
from mocks.lender.store import Tx
from scenarios.contract import State


class Waiting(NamedTuple):
    """A step whose binding waits for a partner in one of `states`, and where it goes from there."""

    states: frozenset[State]
    done: State
    declined: State
    again: State
    """When the partner certainly did nothing while the customer waits, who may then ask again."""
    did_nothing: str
    """What the audit log says of that."""
    unknown: str
    """The reason of FAILED when the outbox gives up."""

    def has(self, binding: Binding | None) -> bool:
        """Whether the binding still waits."""
        return binding is not None and binding.state in self.states


def settle(
    ctx: Context,
    tx: Tx,
    call: PartnerCall,
    verdict: Verdict,
    now: float,
    *,
    waits: bool,
    in_request: bool,
    accepts: bool = False,
) -> bool:
    """Store what became of an open call; False when it stays open. `waits`: a binding waits for it;
    `in_request`: so does its customer; `accepts`: a call that did nothing is kept for later."""
    outcome = verdict.outcome
    did_nothing = outcome == Outcome.NOT_PROCESSED
    if outcome in (Outcome.DONE, Outcome.DECLINED):
        finish(tx, call, outcome, now)
    elif did_nothing and (not waits or (in_request and not accepts)):
        finish(tx, call, NOT_PROCESSED, now)
    elif not in_request and gives_up(ctx, call, verdict, now):
        finish(tx, call, GAVE_UP, now)
    else:
        if did_nothing and accepts:
            accept(ctx, tx, call, now)
        else:
            put_off(ctx, tx, call, now)
        return False
    return True


def move_on(
    ctx: Context,
    tx: Tx,
    binding: Binding | None,
    step: Waiting,
    verdict: Verdict,
    now: float,
    *,
    in_request: bool,
) -> None:
    """Move a binding that waits for a call on, once the call is settled."""
    if binding is None or not step.has(binding):
        return
    detail = ""
    if verdict.outcome == Outcome.DONE:
        agreement = verdict.agreement_no or binding.agreement_no
        binding = moved(binding, step.done, now, agreement_no=agreement)
    elif verdict.outcome == Outcome.DECLINED:
        binding = moved(binding, step.declined, now, reason=verdict.reason)
    elif in_request:
        binding, detail = moved(binding, step.again, now), step.did_nothing
    else:
        binding = moved(binding, State.FAILED, now, reason=step.unknown)
    tx.save(binding)
    ctx.audit.append(tx, now, binding.state.lower(), binding.binding_id, detail or binding.reason)
