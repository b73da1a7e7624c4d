"""What scenarios may name at each gateway and at the lender: operations, callbacks, codes."""

from __future__ import annotations

from scenarios.contract import OPERATIONS

GATEWAY_OPERATIONS: dict[str, tuple[str, ...]] = {
    "bank": ("open", "verify", "query", "terminate"),
    "sms": ("send", "send_backup", "query"),
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

FIELD_39: tuple[str, ...] = (
    *("00", "01", "03", "04", "05", "09", "12", "13", "14", "15", "21", "22", "30", "34", "38"),
    *("40", "41", "43", "51", "54", "55", "57", "58", "59", "61", "62", "65", "68", "75", "91"),
    *("92", "94", "96", "98", "A2", "A4", "A5", "A6"),
)
"""The switch's answers (ISO 8583 field 39); `mocks/bank/field39.csv` says what each means."""
