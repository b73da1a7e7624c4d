"""Wrong answer: well formed, but about another order."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from scenarios.faults.base import Context, Effect, Fault


class WrongAnswer(Fault):
    """The work is done; the answer names another `order_no`, as when two answers are mixed up. A
    lender that believes it takes another customer's outcome for this one's."""

    seen: ClassVar[str] = "a good answer with an order number that nobody asked about"

    kind: Literal["wrong-answer"] = "wrong-answer"
    target: Literal["bank", "payment"] = Field(description="whose requests: bank or payment")

    def effect(self, context: Context) -> Effect | None:
        return Effect(wrong_order=True)
