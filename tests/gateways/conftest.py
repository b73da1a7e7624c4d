"""A clock for the models in these tests: calls at given times, timers in order, no waiting."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any

import pytest

from mocks.gateway import Gateway
from mocks.messages import Arrived, Call, FollowUp, Notification, Reply, Timer


class Runner:
    """Runs one gateway. `acknowledge` answers callback attempts; what happened stays in lists."""

    def __init__(
        self,
        gateway: Gateway[Any],
        acknowledge: Callable[[Notification], bool] = lambda notification: True,
    ) -> None:
        self.gateway = gateway
        self.acknowledge = acknowledge
        self.now = 0.0
        self.notified: list[tuple[float, Notification]] = []
        self.arrived: list[tuple[float, str]] = []
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = count()

    def call(self, op: str, namespace: str = "default", **payload: Any) -> Reply:
        """Hand in a call now."""
        reply, follow_ups = self.gateway.handle(Call(op, payload, namespace), self.now)
        self._carry_out(follow_ups)
        return reply

    def run_until(self, then: float) -> None:
        """Fire the timers up to `then`."""
        while self._timers and self._timers[0][0] <= then:
            self.now, _, timer = heappop(self._timers)
            self._carry_out(self.gateway.fire(timer, self.now))
        self.now = then

    def _carry_out(self, follow_ups: list[FollowUp]) -> None:
        for item in follow_ups:
            if isinstance(item, Timer):
                heappush(self._timers, (item.at, next(self._order), item))
            elif isinstance(item, Arrived):
                self.arrived.append((self.now, item.phone))
            else:
                self.notified.append((self.now, item))
                acknowledged = self.acknowledge(item)
                self._carry_out(self.gateway.delivered(item, acknowledged, self.now))


@pytest.fixture
def runner() -> type[Runner]:
    return Runner
