"""The payment gateway's codes, magic amounts and notification schedules, as data."""

from __future__ import annotations

from typing import Literal

import msgspec

from scenarios.data_files import read_table
from scenarios.faults.base import Transport

_PACKAGE = "mocks.payment"

TradeState = Literal["SUCCESS", "FAILED", "PROCESSING"]


class Code(msgspec.Struct, frozen=True):
    """One answer. `place`: `code` of the body, or `reason` of a failed charge; `status`: HTTP;
    `suffix`: last digits of agreement numbers whose charges fail for this reason."""

    code: str
    place: Literal["code", "reason"]
    status: int
    suffix: str
    en: str


class MagicAmount(msgspec.Struct, frozen=True):
    """What charging one amount does; `settles` and `delay` in seconds."""

    state: TradeState
    final: TradeState
    reason: str
    settles: float
    delay: float
    transport: Transport
    copies: int


CODES: dict[str, Code] = {
    row["code"]: msgspec.convert(row, Code, strict=False)
    for row in read_table(_PACKAGE, "codes.csv")
}
"""Codes and reasons by name."""

REASON_BY_SUFFIX: dict[str, str] = {
    code.suffix: code.code for code in CODES.values() if code.suffix
}
"""Why every charge of an agreement fails, by the agreement number's last two digits."""

MAGIC_AMOUNTS: dict[int, MagicAmount] = {
    int(row["amount_fen"]): msgspec.convert(row, MagicAmount, strict=False)
    for row in read_table(_PACKAGE, "magic.csv")
}
"""By amount in fen."""

SCHEDULES: dict[str, tuple[float, ...]] = {
    row["schedule"]: tuple(float(gap) for gap in row["gaps"].split())
    for row in read_table(_PACKAGE, "schedules.csv")
}
"""Seconds from each failed attempt of a notification to the next, by schedule."""
