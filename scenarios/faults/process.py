"""What faults of whole processes have in common."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from scenarios.faults.base import Fault, Host, Target, Where


class ProcessFault(Fault):
    """A fault of a process of the stack: the lender's, or the one of all three gateways. Reports
    measure the gateways' by the bank's steps unless `target` names another of them."""

    of_the_whole: ClassVar[bool] = True

    process: Literal["lender", "gateways"] = Field(
        default="lender", description="the lender's process, or the one of all gateways"
    )
    target: Target = Field(default="lender", description="follows from process")

    @model_validator(mode="before")
    @classmethod
    def _target_follows(cls, record: Any) -> Any:
        if isinstance(record, dict) and record.get("process") == "gateways":
            return {"target": "bank", **record}
        return record

    @model_validator(mode="after")
    def _one_process(self) -> ProcessFault:
        if self.targets or (self.process == "lender") != (self.target == "lender"):
            raise ValueError("target follows from process; leave it out")
        if self.ramp or self.period is not None:
            raise ValueError(f"{self.kind} takes no ramp and no period; write one fault a time")
        return self

    @property
    def label(self) -> str:
        return self.name or f"{self.kind}-{self.process}"

    @property
    def where(self) -> Where:
        return "process"

    @property
    def host(self) -> Host:
        return "stack"
