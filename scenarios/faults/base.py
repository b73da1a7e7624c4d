"""The one interface of all faults: a declarative record that turns a request into an `Effect`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar, Literal, get_args

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from scenarios.gateways import CALLBACKS, TARGET_OPERATIONS
from scenarios.plain_text import Line
from scenarios.population.phones import carrier_of, carriers
from scenarios.units import DURATION, Count, Seconds, Share

Target = Literal["bank", "sms", "payment", "lender"]
Transport = Literal["ok", "refuse", "reset", "hang"]
Manner = Literal["whole", "partial", "malformed"]
Where = Literal["requests", "callbacks", "calls", "standing", "process"]
Host = Literal["bank", "sms", "payment", "lender", "customer", "stack"]


class Effect(msgspec.Struct):
    """What a fault does to one request.

    `delay`: seconds added before the reply (or before a callback leaves). `status` and `code`:
    answer this instead of doing the work. `transport`: the connection is refused, reset, or hangs.
    `processed`: the work is done although the answer is lost or another one. `manner`: the answer's
    body is cut in the middle, or is no JSON. `hold`: seconds for which the connection that ends the
    answer stays open. `wrong_order`: the answer names another order. `bandwidth`: bytes per second
    at which the answer leaves (0: no limit). `slowdown`: factor of the time that the work takes.
    `lose_callback`, `copies`: a callback is dropped on its way, or comes so many times more.
    `carrier_delay`: seconds added between gateway and handset; `lose_message`: the message does not
    arrive, with a delivery report that says so, or silently. `capacity`: share of the target's
    places that is left. `skew`: seconds that the target's clock is ahead. `latency`: seconds that a
    gateway takes instead of its own latency. `commit`: seconds that each commit of the lender's
    database takes longer.
    """

    delay: float = 0.0
    status: int = 0
    code: str = ""
    transport: Transport = "ok"
    processed: bool = False
    lose_callback: bool = False
    carrier_delay: float = 0.0
    manner: Manner = "whole"
    hold: float = 0.0
    wrong_order: bool = False
    bandwidth: float = 0.0
    slowdown: float = 1.0
    copies: int = 0
    lose_message: Literal["", "reported", "silent"] = ""
    capacity: float = 1.0
    skew: float = 0.0
    latency: float | None = None
    commit: float = 0.0


class Context(msgspec.Struct):
    """The request a fault looks at: virtual or wall `now` in seconds since the run began, a keyed
    `uniform` in [0, 1) for sizes, `memory`, which the fault owns for its lifetime, and `strength`
    in [0, 1], how far the fault's ramp has come."""

    now: float
    uniform: float
    memory: dict[str, Any]
    strength: float = 1.0


def _needs_a_target(schema: dict[str, Any]) -> None:
    required = [name for name in schema.get("required", ()) if name != "target"]
    if len(required) < len(schema.get("required", ())):
        schema["required"] = required
        schema["anyOf"] = [{"required": ["target"]}, {"required": ["targets"]}]


class Fault(BaseModel):
    """Fields that every fault has.

    A fault is in force from `start` for `duration` (both in seconds since the run began; no
    duration: to the end), on `share` of the matching requests, or on the `first` N of them. With
    `per: customer` the share is one of customers (at the bank, of cards; at the SMS gateway, of
    phones): whoever is hit, is hit every time, as where one province's carrier link is down.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_needs_a_target)

    on_callbacks: ClassVar[bool] = False
    """True for a fault of callbacks (gateway to lender) instead of requests."""
    of_the_whole: ClassVar[bool] = False
    """True for a fault of the target itself, which cannot strike single requests."""
    ramp_grows: ClassVar[Literal["share", "size"]] = "share"
    """What a ramp lets grow from nothing: the share of requests hit, or how hard they are hit."""
    seen: ClassVar[str] = ""
    """What the caller sees, for the table in the documentation."""
    clocks: ClassVar[str] = "both"
    """The clocks in which it acts, for the table."""

    kind: str
    target: Target = Field(description="whose requests: bank, sms, payment or lender")
    targets: tuple[Target, ...] = Field(
        default=(), description="instead of target: one fault each, of one group"
    )
    name: Line = Field(default="", description="how reports call it; the kind and target if empty")
    ops: tuple[Line, ...] = Field(default=(), description="only these operations; all if empty")
    issuer: Line = Field(default="", description="only requests of this issuing bank's cards")
    carrier: Line = Field(
        default="", description="sms: only phones of this network, such as mobile"
    )
    start: Seconds = 0.0
    duration: Seconds | None = None
    ramp: Seconds = Field(default=0.0, description="grows from nothing to full over this time")
    period: Seconds | None = Field(default=None, gt=0, description="flaps: on and off again")
    duty: Share = Field(default=0.5, gt=0, description="share of each period that it is on")
    share: Share = 1.0
    per: Literal["request", "customer"] = Field(
        default="request", description="customer: the same customers are hit every time"
    )
    first: Count | None = Field(
        default=None, ge=1, description="only the first N matching requests"
    )
    group: Line = Field(default="", description="faults of one group strike in the same seconds")

    # ── validation ──────────────────────────────────────────────────────────────────────────────

    @model_validator(mode="before")
    @classmethod
    def _first_of_targets(cls, record: Any) -> Any:
        if isinstance(record, dict) and record.get("targets") and "target" not in record:
            targets = record["targets"]
            if isinstance(targets, list | tuple):
                return {**record, "target": targets[0]}
        return record

    @field_validator("target", "targets")
    @classmethod
    def _sends_callbacks(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for target in (value,) if isinstance(value, str) else value:
            if cls.on_callbacks and not CALLBACKS[target]:
                senders = " or ".join(name for name, callbacks in CALLBACKS.items() if callbacks)
                raise ValueError(f"{target} sends no callbacks; write {senders}")
        return value

    @field_validator("targets")
    @classmethod
    def _possible_targets(cls, targets: tuple[Target, ...]) -> tuple[Target, ...]:
        possible = get_args(cls.model_fields["target"].annotation)
        for target in targets:
            if target not in possible:
                raise ValueError(f"{target} cannot have this fault; write {', '.join(possible)}")
        if len(set(targets)) < len(targets):
            raise ValueError("names a target twice; write each once")
        return targets

    @field_validator("ops")
    @classmethod
    def _known_ops(cls, ops: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        target = info.data.get("target")
        if target is None:
            return ops
        for each in info.data.get("targets") or (target,):
            known = (CALLBACKS if cls.on_callbacks else TARGET_OPERATIONS)[each]
            for op in ops:
                if op not in known:
                    word = "callback" if cls.on_callbacks else "operation"
                    raise ValueError(f"{each} has no {word} {op!r}; write {', '.join(known)}")
        return ops

    @field_validator("carrier")
    @classmethod
    def _known_carrier(cls, carrier: str, info: ValidationInfo) -> str:
        if carrier and carrier not in carriers():
            raise ValueError(f"{carrier!r} is no mobile network; write {', '.join(carriers())}")
        if carrier and (cls.on_callbacks or info.data.get("target") != "sms"):
            raise ValueError("carrier goes with requests to sms only; write target: sms")
        return carrier

    @model_validator(mode="after")
    def _strikes_the_whole(self) -> Fault:
        narrowed = self.ops or self.issuer or self.carrier or self.first or self.group
        if self.of_the_whole and (narrowed or self.share < 1):
            raise ValueError(
                f"{self.kind} strikes the whole target: give it no share, ops, issuer, carrier,"
                " first or group"
            )
        return self

    @model_validator(mode="after")
    def _one_way_to_choose(self) -> Fault:
        if self.per == "customer" and (self.group or self.targets or self.of_the_whole):
            raise ValueError("per: customer goes with one target and no group; leave those out")
        return self

    @model_validator(mode="after")
    def _comes_to_full_strength(self) -> Fault:
        if self.duration is None:
            return self
        if self.duration == 0:
            raise ValueError(
                f"duration 0 strikes nothing; write {DURATION.examples}, or leave it out"
            )
        if self.ramp > self.duration:
            raise ValueError(
                "ramp is longer than duration, so that the fault is over before it is at full"
                " strength; write a shorter ramp"
            )
        return self

    # ── what it is ──────────────────────────────────────────────────────────────────────────────

    @property
    def label(self) -> str:
        """The name for people, and the key of its random draws."""
        return self.name or f"{self.kind}-{self.target}"

    @property
    def where(self) -> Where:
        """What it strikes: requests that reach the target, its callbacks, calls that its host makes
        to the target, the target itself all the time, or a process."""
        return "callbacks" if self.on_callbacks else "requests"

    @property
    def host(self) -> Host:
        """Who applies it: a server, the customer's side, or whoever runs the processes."""
        return self.target

    def parts(self) -> tuple[Fault, ...]:
        """The faults of single targets that this record stands for; they strike together."""
        if not self.targets:
            return (self,)
        label = self.name or f"{self.kind}-{'-'.join(self.targets)}"
        return tuple(
            self.model_copy(
                update={
                    "target": target,
                    "targets": (),
                    "name": f"{label}-{target}",
                    "group": self.group or label,
                }
            )
            for target in self.targets
        )

    # ── when it strikes, and whom ───────────────────────────────────────────────────────────────

    @property
    def end(self) -> float:
        """Seconds since the run began at which the fault ends; infinity if it does not."""
        return math.inf if self.duration is None else self.start + self.duration

    def in_force(self, now: float) -> bool:
        """Whether `now` lies in the window [start, end), and in the first part of its period."""
        if not self.start <= now < self.end:
            return False
        return self.period is None or (now - self.start) % self.period < self.duty * self.period

    def windows(self) -> Iterator[tuple[float, float]]:
        """The times [begin, end) in which it is in force, in order; endless for some."""
        if self.period is None:
            yield self.start, self.end
            return
        begin = self.start
        while begin < self.end:
            yield begin, min(self.end, begin + self.duty * self.period)
            begin += self.period

    def strength(self, now: float) -> float:
        """How far the ramp has come at `now`, from 0 to 1."""
        return 1.0 if self.ramp <= 0 else min(1.0, max(0.0, (now - self.start) / self.ramp))

    def matches(self, op: str, issuer: str, phone: str = "") -> bool:
        """Whether a request of `op` by a card of `issuer`, or about `phone`, is this fault's
        business."""
        return (
            (not self.ops or op in self.ops)
            and (not self.issuer or issuer == self.issuer)
            and (not self.carrier or carrier_of(phone) == self.carrier)
        )

    def effect(self, context: Context) -> Effect | None:
        """What happens to a request that was hit; None when this one passes unharmed."""
        raise NotImplementedError
