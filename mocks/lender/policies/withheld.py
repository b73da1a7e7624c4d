"""A call that a policy did not let out of the lender."""

from __future__ import annotations

from mocks.world import CallFailed

WITHHELD = "WITHHELD"


class Withheld(CallFailed):
    """The gateway did not get the request: `policy` (`breaker`, `bulkhead`, `adaptive_limit`,
    `deadline`, `retry_budget`) kept it back; `retry_after` seconds may change that."""

    def __init__(self, gateway: str, op: str, policy: str, retry_after: float = 0.0) -> None:
        super().__init__(gateway, op, WITHHELD)
        self.policy = policy
        self.retry_after = retry_after
