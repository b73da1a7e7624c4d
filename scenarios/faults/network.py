"""Network: the way from one party to another is broken."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from scenarios.faults.base import Context, Effect, Fault, Host, Transport, Where
from scenarios.gateways import CALLBACKS, GATEWAY_OPERATIONS, TARGET_OPERATIONS

Party = Literal["customer", "lender", "bank", "sms", "payment"]

CALLBACK_TIMEOUT = 5.0
"""Seconds after which the sender of a callback gives up waiting (FACTS: WeChat Pay v3)."""

_TRANSPORTS: dict[str, Transport] = {
    "refused": "refuse",
    "reset": "reset",
    "hang": "hang",
    "loss": "hang",
}


class Network(Fault):
    """Breaks requests from the first party to the second, where the first one sits; the second
    never hears of them. `loss`: the request or, at even odds, its answer is lost, and the sender
    waits in vain. Of callbacks ([sms, lender], [payment, lender]) the attempt is lost."""

    seen: ClassVar[str] = "refused: no connection; reset: it breaks; hang, loss: no answer comes"

    kind: Literal["network"] = "network"
    target: Literal["bank", "sms", "payment", "lender"] = Field(
        default="lender", description="follows from between"
    )
    between: tuple[Party, Party] = Field(description="who asks whom, such as [lender, bank]")
    mode: Literal["refused", "reset", "hang", "loss"] = "refused"

    @model_validator(mode="before")
    @classmethod
    def _target_follows(cls, record: Any) -> Any:
        between = record.get("between") if isinstance(record, dict) else None
        if not isinstance(between, list | tuple) or len(between) != 2:
            return record
        gateways = [party for party in GATEWAY_OPERATIONS if party in between]
        return {"target": gateways[0] if gateways else "lender", **record}

    @field_validator("ops")
    @classmethod
    def _known_ops(cls, ops: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return ops  # which are known depends on the direction, see below

    @model_validator(mode="after")
    def _they_talk(self) -> Network:
        one, other = self.between
        talks = (
            (one == "customer" and other == "lender")
            or (one == "lender" and other in GATEWAY_OPERATIONS)
            or (other == "lender" and bool(CALLBACKS.get(one)))
        )
        if not talks:
            raise ValueError(
                f"{one} sends nothing to {other}; write [customer, lender], [lender, bank],"
                " [lender, sms], [lender, payment], [sms, lender] or [payment, lender]"
            )
        if self.targets or self.target != (other if one in ("lender", "customer") else one):
            raise ValueError("target follows from between; leave it out")
        if self.carrier:
            raise ValueError("a network fault takes no carrier")
        if self.issuer:
            raise ValueError("a network fault takes no issuer")
        known = CALLBACKS[one] if self.where == "callbacks" else TARGET_OPERATIONS[self.target]
        for op in self.ops:
            if op not in known:
                raise ValueError(f"{one} does not send {op!r} to {other}; write {', '.join(known)}")
        return self

    @property
    def label(self) -> str:
        return self.name or f"network-{'-'.join(self.between)}"

    @property
    def where(self) -> Where:
        return "calls" if self.between[0] in ("customer", "lender") else "callbacks"

    @property
    def host(self) -> Host:
        return self.between[0]

    def effect(self, context: Context) -> Effect | None:
        if self.where == "callbacks":
            waits = self.mode in ("hang", "loss")
            return Effect(lose_callback=True, delay=CALLBACK_TIMEOUT if waits else 0.0)
        processed = self.mode == "loss" and context.uniform < 0.5
        return Effect(transport=_TRANSPORTS[self.mode], processed=processed)
