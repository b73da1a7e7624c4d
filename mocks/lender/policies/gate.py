"""All calls to one gateway pass its gate: breaker, bulkhead, adaptive limit, deadline, hedge.

The order matters. The breaker is asked first, because an open one costs nothing; the limits come
next, so that a refused call takes no connection; the deadline is looked at again when the
connection is there, because waiting for it takes time.
"""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from typing import Any

from mocks.lender.policies.adaptive_limit import AdaptiveLimit
from mocks.lender.policies.breaker import Breaker, BreakerState
from mocks.lender.policies.bulkhead import Bulkhead
from mocks.lender.policies.deadline import Deadline
from mocks.lender.policies.decisions import Decisions
from mocks.lender.policies.hedge_delay import HedgeDelay
from mocks.lender.policies.retry_budget import RetryBudget
from mocks.lender.policies.withheld import Withheld
from mocks.world import CallFailed, GatewayAnswer, World
from scenarios.policy import CallPolicy

_ACTIONS = {
    BreakerState.OPEN: "opened",
    BreakerState.HALF_OPEN: "half_opened",
    BreakerState.CLOSED: "closed",
}


def is_failure(answer: GatewayAnswer) -> bool:
    """Whether an answer says that the gateway is in trouble: throttled, or a server error. That a
    card is declined says nothing of the kind."""
    return answer.status == 429 or answer.status >= 500


class Gate:
    """The policies towards one gateway, and what they remember; one for the lender's life.

    `name` is how decisions are counted, `gateway` whom the World calls.
    """

    def __init__(self, name: str, gateway: str, policy: CallPolicy, decisions: Decisions) -> None:
        self.name = name
        self.policy = policy
        self._gateway = gateway
        self._decisions = decisions
        self._breaker = Breaker(policy.breaker, self._changed) if policy.breaker else None
        self._bulkhead = Bulkhead(policy.max_concurrent) if policy.max_concurrent else None
        self._adaptive = AdaptiveLimit(policy.adaptive_limit) if policy.adaptive_limit else None
        self._budget = RetryBudget(policy.retry_budget) if policy.retry_budget else None
        hedge = policy.hedge
        ops: tuple[str, ...] = () if hedge is None else hedge.ops
        self._hedges = {op: HedgeDelay(hedge) for op in ops} if hedge else {}
        self._open = not (self._breaker or self._bulkhead or self._adaptive or self._hedges)

    def request(self) -> None:
        """A request that needs this gateway begins: it earns its part of a retry."""
        if self._budget is not None:
            self._budget.request()

    def may_retry(self) -> bool:
        """Whether the retry budget has a retry left, which is spent."""
        if self._budget is None or self._budget.take():
            return True
        self._count("retry_budget", "exhausted")
        return False

    def refuses(self, now: float) -> bool:
        """Whether the breaker would refuse a call."""
        return self._breaker is not None and self._breaker.refuses(now)

    def call(
        self, world: World, op: str, payload: dict[str, Any], deadline: Deadline
    ) -> Coroutine[Any, Any, GatewayAnswer]:
        """Call the gateway within the policy's timeout and the deadline. Raises CallFailed, of
        which Withheld says that the call was not made."""
        if self._open:
            return self._connected(world, op, payload, deadline)
        return self._guarded(world, op, payload, deadline)

    async def _connected(
        self, world: World, op: str, payload: dict[str, Any], deadline: Deadline
    ) -> GatewayAnswer:
        """Past a gate without breaker, bulkhead, adaptive limit and hedge."""
        async with world.limit(self._gateway):
            return await world.call(self._gateway, op, payload, self._time(op, deadline, world))

    def _time(self, op: str, deadline: Deadline, world: World) -> float:
        """Seconds that a call may take. Raises Withheld when none are left."""
        timeout = deadline.clip(self.policy.timeout, world.now())
        if timeout <= 0:
            self._count("deadline", "refused")
            raise Withheld(self._gateway, op, "deadline", 1.0)
        return timeout

    async def _guarded(
        self, world: World, op: str, payload: dict[str, Any], deadline: Deadline
    ) -> GatewayAnswer:
        once = partial(self._once, world, op, payload, deadline)
        hedge = self._hedges.get(op)
        if hedge is None:
            return await once()
        return await world.race(once, partial(self._hedge, op, once), hedge.seconds)

    async def _hedge(self, op: str, once: partial[Any]) -> GatewayAnswer:
        if not self.may_retry():
            raise Withheld(self._gateway, op, "retry_budget")
        self._count("hedge", "sent")
        answer: GatewayAnswer = await once()
        return answer

    async def _once(
        self, world: World, op: str, payload: dict[str, Any], deadline: Deadline
    ) -> GatewayAnswer:
        ticket = self._ticket(op, world.now())
        succeeded: bool | None = None
        try:
            if self._bulkhead is not None and not self._bulkhead.enter():
                self._count("bulkhead", "refused")
                raise Withheld(self._gateway, op, "bulkhead", 1.0)
            try:
                answer = await self._limited(world, op, payload, deadline)
                succeeded = not is_failure(answer)
                return answer
            finally:
                if self._bulkhead is not None:
                    self._bulkhead.leave()
        except CallFailed as failed:
            succeeded = None if isinstance(failed, Withheld) else False
            raise
        finally:
            if self._breaker is not None:
                self._breaker.settle(ticket, succeeded, world.now())

    async def _limited(
        self, world: World, op: str, payload: dict[str, Any], deadline: Deadline
    ) -> GatewayAnswer:
        adaptive = self._adaptive
        if adaptive is not None and not adaptive.enter():
            self._count("adaptive_limit", "refused")
            raise Withheld(self._gateway, op, "adaptive_limit", 1.0)
        began: float | None = None
        succeeded = False
        try:
            async with world.limit(self._gateway):
                timeout = self._time(op, deadline, world)
                began = world.now()
                answer = await world.call(self._gateway, op, payload, timeout)
            succeeded = not is_failure(answer)
            if succeeded and op in self._hedges:
                self._hedges[op].observe(world.now() - began)
            return answer
        finally:
            if adaptive is not None:
                now = world.now()
                adaptive.leave(None if began is None else now - began, succeeded, now)

    def _ticket(self, op: str, now: float) -> int:
        if self._breaker is None:
            return 0
        ticket = self._breaker.admit(now)
        if ticket is None:
            self._count("breaker", "refused")
            raise Withheld(self._gateway, op, "breaker", self._breaker.wait(now))
        return ticket

    def _changed(self, state: BreakerState) -> None:
        self._count("breaker", _ACTIONS[state])

    def _count(self, policy: str, action: str) -> None:
        self._decisions.count(policy, action, self.name)
