"""The SMS gateway's codes, states and magic numbers, as data."""

from __future__ import annotations

import msgspec

from scenarios.data_files import read_table
from scenarios.faults.base import Transport

_PACKAGE = "mocks.sms"


class Code(msgspec.Struct, frozen=True):
    """One answer: HTTP `status`, SMPP 3.4 command status and meaning."""

    code: str
    status: int
    smpp: str
    en: str


class MagicPhone(msgspec.Struct, frozen=True):
    """What sending to one number does; `status` empty: no delivery report."""

    code: str
    status: str
    copies: int
    delay: float
    transport: Transport


CODES: dict[str, Code] = {
    row["code"]: msgspec.convert(row, Code, strict=False)
    for row in read_table(_PACKAGE, "codes.csv")
}
"""By `Code` of the reply."""

MAGIC_PHONES: dict[str, MagicPhone] = {
    row["phone"]: msgspec.convert(
        {**row, "status": row["status"].replace("none", "")}, MagicPhone, strict=False
    )
    for row in read_table(_PACKAGE, "magic.csv")
}
"""By mobile number."""

MESSAGE_STATES = {
    "ENROUTE": 1,
    "DELIVRD": 2,
    "EXPIRED": 3,
    "DELETED": 4,
    "UNDELIV": 5,
    "ACCEPTD": 6,
    "UNKNOWN": 7,
    "REJECTD": 8,
}
"""SMPP 3.4 `message_state` by the status word of a delivery report."""

REPORT_GAPS: tuple[float, ...] = tuple(
    float(gap) for gap in read_table(_PACKAGE, "schedules.csv")[0]["gaps"].split()
)
"""Seconds from each failed attempt of a delivery report to the next."""
