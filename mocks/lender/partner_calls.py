"""The life of an outbox entry, within transactions: started, put off, finished, taken over."""

from __future__ import annotations

from msgspec.structs import replace

from mocks.lender.context import Context
from mocks.lender.partner_answers import Outcome, Verdict
from mocks.lender.records import PartnerCall
from mocks.lender.store import Tx

LEASE = 120.0
"""Seconds for which whoever works on a call has it to itself. Should it take longer, the outbox
takes the call over and both work on it, which the one order number makes harmless."""
SLOWEST_LOOK = 60.0
"""Seconds between the outbox's looks at a call, at most; they start at `outbox_interval` and
double."""

NOT_PROCESSED = "not_processed"
GAVE_UP = "gave_up"
ACCEPTED = "ACCEPTED"
_REOPENED_BY_NEWS = frozenset({NOT_PROCESSED, GAVE_UP})


def order_no(binding_id: str, op: str) -> str:
    """The merchant order number of a binding's operation: always the same one."""
    return f"{binding_id}-{op}"


def start(ctx: Context, tx: Tx, binding_id: str, gateway: str, op: str, now: float) -> PartnerCall:
    """Enter a call that the caller is about to make, or enter it again after it came to nothing."""
    call = PartnerCall(
        call_id=order_no(binding_id, op),
        binding_id=binding_id,
        gateway=gateway,
        op=op,
        status="PENDING",
        node=ctx.world.node,
        created_at=now,
        updated_at=now,
        due_at=now + LEASE,
    )
    tx.save(call)
    return call


def is_open(call: PartnerCall) -> bool:
    """Whether news about the call still matters."""
    return call.status != "DONE" or call.result in _REOPENED_BY_NEWS


def finish(tx: Tx, call: PartnerCall, result: str, now: float) -> None:
    """Store what became of the call."""
    tx.save(replace(call, status="DONE", result=result, updated_at=now, due_at=None, drain_at=None))


def put_off(ctx: Context, tx: Tx, call: PartnerCall, now: float) -> None:
    """Leave a call of unknown outcome to the outbox's next look."""
    pause = min(ctx.policy.outbox_interval * 2.0 ** min(call.looks, 10), SLOWEST_LOOK)
    tx.save(replace(call, status="UNKNOWN", updated_at=now, due_at=now + pause))


def accept(ctx: Context, tx: Tx, call: PartnerCall, now: float) -> None:
    """Keep a call that certainly did nothing, to be sent when its turn in the drain comes."""
    if call.status != ACCEPTED and call.looks == 0:
        ctx.decisions.count("accept_later", "accepted", call.gateway)
    tx.save(replace(call, status=ACCEPTED, updated_at=now, due_at=None, drain_at=now))


def take_accepted(ctx: Context, tx: Tx, now: float) -> PartnerCall | None:
    """The accepted call that waits longest, now held by this node; None when none waits."""
    for waiting in tx.due(PartnerCall, "drain_at", now, limit=4):
        call = tx.get(PartnerCall, waiting.call_id)
        if call is not None and call.drain_at is not None:
            return _hold(ctx, tx, call, now)
    return None


def take_over(ctx: Context, tx: Tx, now: float) -> PartnerCall | None:
    """The next call that is due, now held by this node; None when nothing is."""
    for due in tx.due(PartnerCall, "due_at", now, limit=4):
        call = tx.get(PartnerCall, due.call_id)
        # Another node may have been faster.
        if call is None or call.due_at is None or call.due_at > now:
            continue
        return _hold(ctx, tx, call, now)
    return None


def _hold(ctx: Context, tx: Tx, call: PartnerCall, now: float) -> PartnerCall:
    held = replace(
        call,
        status="UNKNOWN",
        node=ctx.world.node,
        looks=call.looks + 1,
        updated_at=now,
        due_at=now + LEASE,
        drain_at=None,
    )
    tx.save(held)
    return held


def release_all(ctx: Context, tx: Tx, now: float) -> int:
    """Make every unfinished call of this node due at once: its earlier life is over. Whether they
    were sent is not known."""
    mine = [
        call for call in tx.due(PartnerCall, "due_at", float("inf")) if call.node == ctx.world.node
    ]
    for call in mine:
        tx.save(replace(call, status="UNKNOWN", updated_at=now, due_at=now))
    return len(mine)


def gives_up(ctx: Context, call: PartnerCall, verdict: Verdict, now: float) -> bool:
    """Whether the outbox has asked about this call for long enough. Refunds are owed, so they go
    on."""
    settled = verdict.outcome in (Outcome.DONE, Outcome.DECLINED)
    old = now - call.created_at >= ctx.policy.give_up_after
    return not settled and call.op != "refund" and old
