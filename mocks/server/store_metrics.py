"""How busy the lender's store is, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from mocks.lender.sql_store import StoreWork


class StoreCollector(Collector):
    """`lender_store_busy_seconds_total`, `_executing_seconds_total`, `_commits_total` and
    `_transactions_total` of the store's writer."""

    def __init__(self, work: StoreWork) -> None:
        self._work = work

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The counts as they are now."""
        for name, meaning, value in (
            ("busy_seconds", "Time in which the store's writer ran or committed", self._work.busy),
            ("executing_seconds", "Of these, for the transactions' own work", self._work.executing),
            ("commits", "Commits, each of a group of transactions", self._work.commits),
            ("transactions", "Transactions committed or rolled back", self._work.transactions),
        ):
            yield CounterMetricFamily(f"lender_store_{name}", meaning, value=value)
