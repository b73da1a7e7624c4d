"""What every step of the lender works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mocks.lender.audit import Audit
from mocks.lender.policies.deadline import NO_DEADLINE, Deadline
from mocks.lender.policies.decisions import Decisions
from mocks.lender.policies.gate import Gate
from mocks.lender.vault import Vault
from mocks.world import World
from scenarios.policy import LenderPolicy


@dataclass(frozen=True, slots=True)
class Context:
    """The lender's decisions as configured, its clock and partners, its keys and its log.

    `gates` has the way to each partner: `bank`, `sms`, `sms_backup`, `payment`. `deadline` is that
    of the request being answered; work behind the reply has none.
    """

    policy: LenderPolicy
    world: World
    vault: Vault
    audit: Audit
    gates: Mapping[str, Gate]
    decisions: Decisions
    deadline: Deadline = NO_DEADLINE

    def until(self, deadline: Deadline) -> Context:
        """The same with a deadline."""
        if deadline is self.deadline or deadline == self.deadline:
            return self
        return replace(self, deadline=deadline)
