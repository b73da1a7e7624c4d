"""What all steps of a binding share: looking it up, moving it on, showing it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from mocks.lender.messages import LenderResponse
from mocks.lender.records import Binding
from mocks.lender.refusal import Refused
from mocks.lender.store import Tx
from scenarios.contract import FINAL_STATES, ErrorCode, State

LIFETIME = 1800.0
"""Seconds from submission after which an unfinished binding expires."""
IN_DOUBT = frozenset({State.VERIFYING, State.PAYING})
"""A partner's answer is awaited: such a binding does not expire by age."""


def load(tx: Tx, binding_id: str) -> Binding:
    """The binding. Raises Refused (NOT_FOUND)."""
    binding = tx.get(Binding, binding_id)
    if binding is None:
        raise Refused(ErrorCode.NOT_FOUND, "no such binding")
    return binding


def moved(binding: Binding, state: State, now: float, **changes: Any) -> Binding:
    """The binding in `state`; a final one no longer expires."""
    if state in FINAL_STATES:
        changes["expires_at"] = None
    return replace(binding, state=state, updated_at=now, **changes)


def wrong_state(binding: Binding) -> Refused:
    """The refusal of a step that does not fit the binding's state, which it tells."""
    return Refused(
        ErrorCode.WRONG_STATE,
        f"the binding is {binding.state}",
        reason=binding.reason or str(binding.state),
        beside={"state": str(binding.state)},
    )


def shown_agreement(agreement_no: str) -> str:
    """An agreement number for people: its last four characters."""
    return f"****{agreement_no[-4:]}"


def shown(binding: Binding) -> LenderResponse:
    """The reply to the status operation."""
    body: dict[str, Any] = {
        "binding_id": binding.binding_id,
        "state": str(binding.state),
        "reason": binding.reason,
        "card": binding.card_shown,
    }
    sent, _, delivery = binding.otp_delivery.partition(" ")
    if sent == str(binding.otp_sent):
        body["otp_delivery"] = delivery
    return LenderResponse(200, body)
