"""What the lender's policies decided, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from mocks.lender.policies.decisions import Decisions


class PolicyCollector(Collector):
    """`lender_policy_decisions_total`, by policy, action and target."""

    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The counts as they are now."""
        family = CounterMetricFamily(
            "lender_policy_decisions",
            "Decisions of the lender's resilience policies",
            labels=("policy", "action", "target"),
        )
        for decision, count in self._decisions.all().items():
            family.add_metric((decision.policy, decision.action, decision.target), count)
        yield family
