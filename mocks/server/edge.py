"""Faults at the lender's front door, by namespace."""

from __future__ import annotations

from typing import Any

from mocks.fault_timeline import FaultTimeline, Listed
from mocks.gateway import MAX_NAMESPACES
from mocks.messages import DEFAULT_NAMESPACE
from mocks.recent import Recent
from scenarios.faults import Effect, Fault
from scenarios.keyed import Keyed


class Edge:
    """Which requests to the lender a fault strikes. Draws are keyed by the customer and by how many
    requests that customer sent before, as in virtual time."""

    def __init__(self, seed: int) -> None:
        self._keyed = Keyed(seed)
        self._timelines: dict[str, FaultTimeline] = {}
        self._sent: dict[str, Recent[str, int]] = {}
        self._used_at: dict[str, float] = {}

    def put(self, namespace: str, fault: Fault, now: float) -> None:
        """Set a fault whose window counts from `now`; another namespace may have to make room."""
        timeline = self._timelines.get(namespace)
        if timeline is None:
            if len(self._timelines) >= MAX_NAMESPACES:
                self._make_room()
            timeline = self._timelines[namespace] = FaultTimeline(self._keyed)
            self._sent[namespace] = Recent()
        self._used_at[namespace] = now
        timeline.put(fault, now)

    def namespaces(self) -> list[tuple[str, float, int]]:
        """Each namespace that has had faults, when it was used last, and how many it has."""
        return [
            (name, self._used_at[name], len(faults)) for name, faults in self._timelines.items()
        ]

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
        for known in (self._timelines, self._sent, self._used_at):
            known.pop(namespace, None)

    def strike(self, namespace: str, op: str, subject: str, now: float) -> Effect | None:
        """What happens to this request; None when nothing does."""
        timeline = self._timelines.get(namespace)
        if timeline is None:
            return None  # and nothing is counted, so that memory stays flat without faults
        self._used_at[namespace] = now
        sent = self._sent[namespace]
        nth = sent.get(subject) or 0
        sent.put(subject, nth + 1, now)
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

    def _make_room(self) -> None:
        others = (name for name in self._timelines if name != DEFAULT_NAMESPACE)
        self.reset(min(others, key=lambda name: self._used_at[name]))


def refusal(effect: Effect) -> dict[str, Any]:
    """The body of an answer that a fault decided."""
    return {"error": {"code": effect.code, "message": "a fault that was set on this server"}}


def answer_delay(effect: Effect, body: object) -> float:
    """Seconds that an answer of these bytes is late."""
    size = len(body) if isinstance(body, bytes) else 0
    return effect.delay + (size / effect.bandwidth if effect.bandwidth else 0.0)
