"""What the lender does on its own: unfinished partner calls, expired bindings and keys."""

from __future__ import annotations

from collections.abc import Callable

from mocks.lender.bindings import IN_DOUBT, moved
from mocks.lender.confirmation import conclude_open, open_payload
from mocks.lender.context import Context
from mocks.lender.partner import ask, send
from mocks.lender.partner_answers import Outcome, Verdict
from mocks.lender.partner_calls import release_all, take_accepted, take_over
from mocks.lender.payment import (
    charge_payload,
    conclude_charge,
    conclude_refund,
    give_back,
    refund_payload,
)
from mocks.lender.policies.drain import Drain
from mocks.lender.records import Binding, IdempotentReply, PartnerCall
from mocks.lender.store import StoreUnavailable, Tx
from scenarios.contract import FINAL_STATES, State

WORKERS = 16
"""Calls that the outbox works on at once."""
SWEEP = 200
"""Expired records of a kind that one pass removes at most."""
_LOOK_AGAIN = 60.0


class Outbox:
    """The background work of one lender node."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._working = 0
        later = ctx.policy.accept_later
        self._drain = None if later is None else Drain(later.drain_rate)
        self._accepted = False

    async def run(self) -> None:
        """Endless: a pass every `outbox_interval`, and accepted calls at their pace."""
        while True:
            try:
                await self._wait()
                await self._pass()
            except StoreUnavailable:
                # Nothing is lost: what is due stays due.
                continue

    async def _wait(self) -> None:
        """Until the next pass, sending accepted calls meanwhile while there are any."""
        world, interval = self._ctx.world, self._ctx.policy.outbox_interval
        until = world.now() + interval
        while self._drain is not None and self._accepted:
            now = world.now()
            if now >= until:
                return
            rest = self._drain.wait(now)
            if rest > 0:
                await world.sleep(min(rest, until - now))
            elif self._ctx.gates["bank"].refuses(now):
                # Nothing would come of it, and nobody would learn anything.
                break
            else:
                self._drain.take(now)
                await self._send_accepted()
        await world.sleep(max(0.0, until - world.now()))

    async def _send_accepted(self) -> None:
        ctx = self._ctx
        held = await _hold(ctx, take_accepted)
        if held is None:
            self._accepted = False
        else:
            ctx.decisions.count("accept_later", "sent", "bank")
            ctx.world.background(_send_held(ctx, *held))

    async def recover(self) -> int:
        """Take over what this node's earlier life left unfinished, and start on it."""
        ctx = self._ctx
        now = ctx.world.now()
        count = await ctx.world.transact(lambda tx: release_all(ctx, tx, now))
        self._start_workers(count)
        return count

    async def _pass(self) -> None:
        ctx = self._ctx
        now = ctx.world.now()

        def work(tx: Tx) -> int:
            _expire_bindings(ctx, tx, now)
            for reply in tx.due(IdempotentReply, "expires_at", now, limit=SWEEP):
                tx.remove(reply)
            if self._drain is not None:
                self._accepted = bool(tx.due(PartnerCall, "drain_at", now, limit=1))
            return len(tx.due(PartnerCall, "due_at", now, limit=WORKERS))

        self._start_workers(await ctx.world.transact(work))

    def _start_workers(self, due: int) -> None:
        for _ in range(min(due, WORKERS - self._working)):
            self._working += 1
            self._ctx.world.background(self._worker())

    async def _worker(self) -> None:
        ctx = self._ctx
        try:
            while True:
                held = await _hold(ctx, take_over)
                if held is None:
                    return
                await _settle(ctx, *held)
        except StoreUnavailable:
            return
        finally:
            self._working -= 1


async def _hold(
    ctx: Context, take: Callable[[Context, Tx, float], PartnerCall | None]
) -> tuple[PartnerCall, Binding | None] | None:
    now = ctx.world.now()

    def work(tx: Tx) -> tuple[PartnerCall, Binding | None] | None:
        call = take(ctx, tx, now)
        return None if call is None else (call, tx.get(Binding, call.binding_id))

    return await ctx.world.transact(work)


async def _settle(ctx: Context, call: PartnerCall, binding: Binding | None) -> None:
    """Ask about a call; when it never got there and still matters, send it once."""
    verdict = await ask(ctx, call.gateway, call.call_id)
    if verdict.outcome == Outcome.NOT_PROCESSED:
        verdict = await _send_again(ctx, call, binding)
    await _conclude(ctx, call, verdict)


async def _send_held(ctx: Context, call: PartnerCall, binding: Binding | None) -> None:
    """Send an accepted call, which certainly did nothing so far."""
    try:
        await _conclude(ctx, call, await _send_again(ctx, call, binding))
    except StoreUnavailable:
        # It is held, and taken over when its time is up.
        return


async def _conclude(ctx: Context, call: PartnerCall, verdict: Verdict) -> None:
    now = ctx.world.now()

    def store(tx: Tx) -> PartnerCall | None:
        current = tx.get(PartnerCall, call.call_id)
        if current is None:
            return None
        if call.op == "open":
            conclude_open(ctx, tx, current, verdict, now, in_request=False)
        elif call.op == "charge":
            return conclude_charge(ctx, tx, current, verdict, now, in_request=False)
        else:
            conclude_refund(ctx, tx, current, verdict, now)
        return None

    refund = await ctx.world.transact(store)
    if refund is not None:
        await give_back(ctx, refund)


async def _send_again(ctx: Context, call: PartnerCall, binding: Binding | None) -> Verdict:
    if call.op == "refund":
        return await send(ctx, call.gateway, call.op, refund_payload(call))
    if binding is None or binding.state not in IN_DOUBT:
        return Verdict(Outcome.NOT_PROCESSED)
    payload = open_payload(ctx, binding) if call.op == "open" else charge_payload(binding)
    return await send(ctx, call.gateway, call.op, payload)


def _expire_bindings(ctx: Context, tx: Tx, now: float) -> None:
    for due in tx.due(Binding, "expires_at", now, limit=SWEEP):
        binding = tx.get(Binding, due.binding_id)
        if binding is None or binding.state in FINAL_STATES:
            continue
        if binding.state in IN_DOUBT:
            tx.save(moved(binding, binding.state, now, expires_at=now + _LOOK_AGAIN))
            continue
        tx.save(moved(binding, State.EXPIRED, now, reason="abandoned"))
        ctx.audit.append(tx, now, "expired", binding.binding_id)
