"""What the policies decided, counted for metrics, tests and reports."""

from __future__ import annotations

from collections import Counter

import msgspec


class Decision(msgspec.Struct, frozen=True):
    """A kind of decision: `policy` (`breaker`), what it did (`opened`), and about whom: `bank`,
    `sms`, `sms_backup`, `payment` or `lender`."""

    policy: str
    action: str
    target: str


class Decisions:
    """Counts of decisions since the lender started."""

    def __init__(self) -> None:
        self._counts: Counter[Decision] = Counter()

    def count(self, policy: str, action: str, target: str) -> None:
        """Count one."""
        self._counts[Decision(policy, action, target)] += 1

    def of(self, policy: str, action: str, target: str) -> int:
        """How many there were of one kind."""
        return self._counts[Decision(policy, action, target)]

    def all(self) -> dict[Decision, int]:
        """All kinds that occurred."""
        return dict(self._counts)
