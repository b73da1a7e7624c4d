"""Faults at the lender's front door, by namespace."""

from __future__ import annotations

from typing import Any

from mocks.fault_timeline import FaultTimeline, Listed
from mocks.gateway import MAX_NAMESPACES, TooManyNamespaces
from mocks.messages import DEFAULT_NAMESPACE
from scenarios.faults import Effect, Fault
from scenarios.keyed import Keyed


class Edge:
    """Which requests to the lender a fault strikes. Draws are keyed by the customer and by how many
    requests that customer sent before, as in virtual time."""

    def __init__(self, seed: int) -> None:
        self._keyed = Keyed(seed)
        self._timelines: dict[str, FaultTimeline] = {}
        self._sent: dict[tuple[str, str], int] = {}

    def put(self, namespace: str, fault: Fault, now: float) -> None:
        """Set a fault whose window counts from `now`. Raises TooManyNamespaces."""
        timeline = self._timelines.get(namespace)
        if timeline is None:
            if len(self._timelines) >= MAX_NAMESPACES:
                raise TooManyNamespaces(namespace)
            timeline = self._timelines[namespace] = FaultTimeline(self._keyed)
        timeline.put(fault, now)

    def listed(self, namespace: str, now: float) -> list[Listed]:
        """Each fault that is set, as it stands at `now`."""
        timeline = self._timelines.get(namespace)
        return timeline.listed(now) if timeline is not None else []

    def clear(self, namespace: str, label: str | None) -> int:
        """Remove the fault called `label`, or all; returns how many went."""
        timeline = self._timelines.get(namespace)
        return timeline.clear(label) if timeline is not None else 0

    def reset(self, namespace: str) -> None:
        """Forget the namespace's faults and counts."""
        self._timelines.pop(namespace, None)
        self._sent = {key: sent for key, sent in self._sent.items() if key[0] != namespace}

    def strike(self, namespace: str, op: str, subject: str, now: float) -> Effect | None:
        """What happens to this request; None when nothing does."""
        timeline = self._timelines.get(namespace)
        if timeline is None:
            return None  # and nothing is counted, so that memory stays flat without faults
        key = (namespace, subject)
        nth = self._sent.get(key, 0)
        self._sent[key] = nth + 1
        return timeline.strike(op, "", subject, nth, now)

    def strike_call(
        self, namespace: str, gateway: str, op: str, payload: dict[str, Any], now: float
    ) -> Effect | None:
        """What happens to a call of the lender's to `gateway`; None when nothing does."""
        timeline = self._timelines.get(namespace)
        return None if timeline is None else timeline.strike_call(gateway, op, payload, now)

    def standing(self, now: float) -> Effect | None:
        """What holds for the whole lender: its clock and its disk."""
        timeline = self._timelines.get(DEFAULT_NAMESPACE)
        return None if timeline is None else timeline.standing(now)


def refusal(effect: Effect) -> dict[str, Any]:
    """The body of an answer that a fault decided."""
    return {"error": {"code": effect.code, "message": "a fault that was set on this server"}}


def answer_delay(effect: Effect, body: object) -> float:
    """Seconds that an answer of these bytes is late."""
    size = len(body) if isinstance(body, bytes) else 0
    return effect.delay + (size / effect.bandwidth if effect.bandwidth else 0.0)
