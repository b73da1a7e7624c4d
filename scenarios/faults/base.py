"""The one interface of all faults: a declarative record that turns a request into an `Effect`."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from scenarios.gateways import CALLBACKS, TARGET_OPERATIONS
from scenarios.units import Seconds, Share

Target = Literal["bank", "sms", "payment", "lender"]
Transport = Literal["ok", "refuse", "reset", "hang"]


class Effect(msgspec.Struct):
    """What a fault does to one request.

    `delay`: seconds added before the reply. `status` and `code`: answer this instead, without doing
    the work. `transport`: the connection is refused, reset, or hangs. `processed`: the work is done
    although the answer is lost (only with a `transport` other than `ok`). `lose_callback`: a
    callback is dropped on its way. `carrier_delay`: seconds added between gateway and handset.
    `latency`: seconds that a gateway takes instead of its own latency.
    """

    delay: float = 0.0
    status: int = 0
    code: str = ""
    transport: Transport = "ok"
    processed: bool = False
    lose_callback: bool = False
    carrier_delay: float = 0.0
    latency: float | None = None


class Context(msgspec.Struct):
    """The request a fault looks at: virtual or wall `now` in seconds since the run began, a keyed
    `uniform` in [0, 1) for sizes, and `memory`, which the fault owns for its lifetime."""

    now: float
    uniform: float
    memory: dict[str, Any]


class Fault(BaseModel):
    """Fields that every fault has.

    A fault is in force from `start` for `duration` (both in seconds since the run began; no
    duration: to the end), on `share` of the matching requests, or on the `first` N of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    on_callbacks: ClassVar[bool] = False
    """True for a fault of callbacks (gateway to lender) instead of requests."""

    kind: str
    target: Target = Field(description="whose requests: bank, sms, payment or lender")
    name: str = Field(default="", description="how reports call it; the kind and target if empty")
    ops: tuple[str, ...] = Field(default=(), description="only these operations; all if empty")
    issuer: str = Field(default="", description="only requests of this issuing bank's cards")
    start: Seconds = 0.0
    duration: Seconds | None = None
    share: Share = 1.0
    first: int | None = Field(default=None, ge=1, description="only the first N matching requests")

    @field_validator("target")
    @classmethod
    def _sends_callbacks(cls, target: str) -> str:
        if cls.on_callbacks and not CALLBACKS[target]:
            senders = " or ".join(name for name, callbacks in CALLBACKS.items() if callbacks)
            raise ValueError(f"{target} sends no callbacks; write {senders}")
        return target

    @field_validator("ops")
    @classmethod
    def _known_ops(cls, ops: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        target = info.data.get("target")
        if target is None:
            return ops
        known = (CALLBACKS if cls.on_callbacks else TARGET_OPERATIONS)[target]
        for op in ops:
            if op not in known:
                word = "callback" if cls.on_callbacks else "operation"
                raise ValueError(f"{target} has no {word} {op!r}; write {', '.join(known)}")
        return ops

    @property
    def label(self) -> str:
        """The name for people, and the key of its random draws."""
        return self.name or f"{self.kind}-{self.target}"

    @property
    def end(self) -> float:
        """Seconds since the run began at which the fault ends; infinity if it does not."""
        return math.inf if self.duration is None else self.start + self.duration

    def in_force(self, now: float) -> bool:
        """Whether `now` lies in the window [start, end)."""
        return self.start <= now < self.end

    def matches(self, op: str, issuer: str) -> bool:
        """Whether a request of `op` by a card of `issuer` is this fault's business."""
        return (not self.ops or op in self.ops) and (not self.issuer or issuer == self.issuer)

    def effect(self, context: Context) -> Effect | None:
        """What happens to a request that was hit; None when this one passes unharmed."""
        raise NotImplementedError
