"""Repairs of the lender's records after a reconciliation, each within one transaction and audited.

Whoever repairs writes an audit chain of its own node, beside those of the lender's processes. A
repair changes nothing when the binding has moved on meanwhile, or when the outbox has the call.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from mocks.lender.audit import AuditLog
from mocks.lender.bindings import moved
from mocks.lender.partner_calls import finish, order_no
from mocks.lender.records import Binding, PartnerCall
from mocks.lender.store import Tx
from scenarios.contract import State

NODE = "reconciliation"
"""Name of the chain that repairs are written to."""

_GATEWAYS = {"open": "bank", "charge": "payment", "refund": "payment"}
_ACTIONS = {"charge": "charged", "refund": "refunded"}


def set_state(
    tx: Tx,
    audit: AuditLog,
    now: float,
    binding_id: str,
    *,
    found: State,
    to: State,
    op: str,
    result: str,
    reason: str = "",
    agreement_no: str = "",
) -> bool:
    """Move a binding from `found` to `to` by the partner's answer about `op`, whose call is
    finished with `result`. False when it is not `found` any more, or somebody works on the call."""
    binding = tx.get(Binding, binding_id)
    call = tx.get(PartnerCall, order_no(binding_id, op))
    if binding is None or binding.state != found or (call is not None and _is_held(call, now)):
        return False
    changes: dict[str, Any] = {"reason": reason}
    if agreement_no:
        changes["agreement_no"] = agreement_no
    tx.save(moved(binding, to, now, **changes))
    _settle(tx, call, binding_id, op, result, now)
    if op in _ACTIONS and result == "done":
        audit.append(tx, now, _ACTIONS[op], binding_id, _detail(""))
    audit.append(tx, now, to.lower(), binding_id, _detail(reason))
    return True


def enter(tx: Tx, audit: AuditLog, now: float, binding_id: str, op: str, amount_fen: int) -> bool:
    """Enter a charge or refund that the settlement file proves, also of a binding that is lost.
    False when it is on record, or somebody works on it."""
    call = tx.get(PartnerCall, order_no(binding_id, op))
    if call is not None and (_is_held(call, now) or call.result == "done"):
        return False
    _settle(tx, call, binding_id, op, "done", now)
    audit.append(tx, now, _ACTIONS[op], binding_id, _detail(f"{amount_fen} fen"))
    return True


def note(tx: Tx, audit: AuditLog, now: float, binding_id: str, action: str) -> None:
    """Write down what was done at a partner about a binding."""
    audit.append(tx, now, action, binding_id, _detail(""))


def _is_held(call: PartnerCall, now: float) -> bool:
    if call.status == "DONE":
        return False
    return call.drain_at is not None or (call.due_at is not None and call.due_at > now)


def _settle(
    tx: Tx, call: PartnerCall | None, binding_id: str, op: str, result: str, now: float
) -> None:
    if call is None:
        call = PartnerCall(
            call_id=order_no(binding_id, op),
            binding_id=binding_id,
            gateway=_GATEWAYS[op],
            op=op,
            status="UNKNOWN",
            node=NODE,
            created_at=now,
            updated_at=now,
            due_at=None,
        )
    finish(tx, replace(call, node=NODE), result, now)


def _detail(text: str) -> str:
    return f"reconciliation: {text}" if text else "reconciliation"
