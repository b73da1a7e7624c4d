"""The operations of each gateway and of the lender, as latencies and faults name them."""

from __future__ import annotations

from scenarios.contract import OPERATIONS

GATEWAY_OPERATIONS: dict[str, tuple[str, ...]] = {
    "bank": ("open", "verify", "query"),
    "sms": ("send", "query"),
    "payment": ("charge", "refund", "query"),
}
"""What the lender may call at each gateway."""

TARGET_OPERATIONS: dict[str, tuple[str, ...]] = {**GATEWAY_OPERATIONS, "lender": tuple(OPERATIONS)}
"""What a fault can strike at each target."""

CALLBACKS: dict[str, tuple[str, ...]] = {
    "bank": (),
    "sms": ("sms_report",),
    "payment": ("payment_notify",),
    "lender": (),
}
"""What each target posts back to the lender."""
