"""The reference lender: all operations of the public contract, on whatever clock.

Everything it awaits goes through `World`, so the same code runs in virtual time and on asyncio.
Concurrent requests about one binding are decided inside transactions by its state, never by locks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from mocks.lender.audit import Audit, AuditLog
from mocks.lender.authorisation import authorise
from mocks.lender.bindings import load, shown
from mocks.lender.card import resend, sms_report, submit
from mocks.lender.confirmation import confirm
from mocks.lender.context import Context
from mocks.lender.idempotency import Keys
from mocks.lender.messages import LenderRequest, LenderResponse
from mocks.lender.outbox import Outbox
from mocks.lender.partner_fields import PaymentNotice, SmsReport, read_callback
from mocks.lender.payment import payment_notify, test_payment
from mocks.lender.policies.deadline import Deadline
from mocks.lender.policies.decisions import Decisions
from mocks.lender.policies.front_queue import FrontQueue
from mocks.lender.policies.gate import Gate
from mocks.lender.refusal import Refused, overloaded
from mocks.lender.registration import documents, register
from mocks.lender.store import StoreUnavailable
from mocks.lender.vault import Vault
from mocks.world import World
from scenarios.contract import ErrorCode
from scenarios.policy import LenderPolicy

__all__ = ["Lender", "LenderRequest", "LenderResponse"]


async def status(ctx: Context, request: LenderRequest) -> LenderResponse:
    """Read a binding's state."""
    binding_id = request.path.get("binding", "")
    return shown(await ctx.world.transact(lambda tx: load(tx, binding_id)))


_STEPS: dict[str, Callable[[Context, LenderRequest], Awaitable[LenderResponse]]] = {
    "register": register,
    "documents": documents,
    "submit": submit,
    "resend": resend,
    "confirm": confirm,
    "authorise": authorise,
    "test_payment": test_payment,
    "status": status,
}


class Lender:
    """One node of the binding service. `decisions` counts what its policies did. `audit` is the
    node's own hash chain unless given."""

    def __init__(
        self, policy: LenderPolicy, world: World, vault: Vault, audit: Audit | None = None
    ) -> None:
        self.decisions = Decisions()
        gates = {
            name: Gate(name, gateway, settings, self.decisions)
            for name, gateway, settings in (
                ("bank", "bank", policy.bank),
                ("sms", "sms", policy.sms),
                ("sms_backup", "sms", policy.sms),
                ("payment", "payment", policy.payment),
            )
        }
        if audit is None:
            audit = AuditLog(world.node)
        self._ctx = Context(policy, world, vault, audit, gates, self.decisions)
        self._unhurried = policy.request_deadline is None
        self._keys = Keys(self._ctx)
        self._outbox = Outbox(self._ctx)

    async def handle(self, request: LenderRequest) -> LenderResponse:
        """Answer one operation of `scenarios.contract.OPERATIONS`. Refusals are replies; what
        comes out as an exception is a defect, or the clock ending the run."""
        try:
            ctx = self._ctx if self._unhurried else self._within(request)
            step = _STEPS.get(request.op)
            if step is None:
                raise Refused(ErrorCode.NOT_FOUND, "no such operation")
            if not request.idempotency_key:
                return await step(ctx, request)
            kept = await self._keys.claim(request)
            if kept is not None:
                return kept
            try:
                response = await step(ctx, request)
            except Refused as refused:
                response = refused.response
            await self._keys.settle(request, response)
            return response
        except Refused as refused:
            return refused.response
        except StoreUnavailable:
            return Refused(ErrorCode.OVERLOADED, "storage is unavailable", retry_after=1).response

    def front(self, workers: int) -> FrontQueue:
        """The bounded line before `workers` workers, for whoever runs this lender: each request
        enters it, or is answered `shed()`, and leaves it when it is answered."""
        return FrontQueue(workers, self._ctx.policy.max_queue, self.decisions)

    @staticmethod
    def shed() -> LenderResponse:
        """The reply to a request that the front has no room for."""
        return overloaded("too many requests are waiting; try again").response

    async def callback(self, op: str, body: dict[str, Any]) -> bool:
        """Take a callback, `sms_report` or `payment_notify`; True acknowledges it. The same one
        may come again, and in any order. One that does not fit (`partner_fields`) changes
        nothing."""
        told = read_callback(op, body)
        try:
            if isinstance(told, SmsReport):
                return await sms_report(self._ctx, told)
            if isinstance(told, PaymentNotice):
                return await payment_notify(self._ctx, told)
        except StoreUnavailable:
            return False
        return False

    async def recover(self) -> int:
        """At start: take over the partner calls that this node's earlier life left unfinished.
        Returns how many."""
        return await self._outbox.recover()

    async def run_outbox(self) -> None:
        """Endless: every `outbox_interval`, settle partner calls of unknown outcome, expire old
        bindings and forget expired idempotency keys."""
        await self._outbox.run()

    def _within(self, request: LenderRequest) -> Context:
        """The context with the request's deadline. Raises Refused when that is over."""
        ctx = self._ctx
        seconds = ctx.policy.request_deadline
        if seconds is None:
            return ctx
        now = ctx.world.now()
        arrived_at = now if request.arrived_at is None else request.arrived_at
        deadline = Deadline(arrived_at + seconds)
        if deadline.passed(now):
            self.decisions.count("deadline", "refused", "lender")
            raise overloaded("the request waited too long; try again")
        return ctx.until(deadline)
