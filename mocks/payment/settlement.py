"""The money that moved, and the settlement file that tells it."""

from __future__ import annotations

from typing import Literal

import msgspec

from mocks.daily_log import CHINA, KEPT_HOURS, DailyLog, day_bounds
from scenarios.csv_cells import csv_text

__all__ = ["CHINA", "KEPT_HOURS", "Ledger", "Movement", "SettlementRow", "day_bounds"]

Kind = Literal["charge", "refund"]


class SettlementRow(msgspec.Struct, frozen=True):
    """One movement: `amount_fen` is positive for both kinds; `time` in seconds."""

    order_no: str
    trade_no: str
    kind: Kind
    amount_fen: int
    state: str
    time: float


class Movement(msgspec.Struct, frozen=True):
    """One movement as kept: `amount_fen` is negative for a refund."""

    order_no: str
    amount_fen: int
    time: float


class Ledger:
    """Charges and refunds of one namespace; single movements are kept for `file_hours`."""

    def __init__(self, file_hours: int = KEPT_HOURS) -> None:
        self.charged = 0
        """Fen charged in total, dropped hours included."""
        self.refunded = 0
        """Fen refunded in total."""
        self._log = DailyLog(file_hours)

    @property
    def balance(self) -> int:
        """Charges less refunds, in fen."""
        return self.charged - self.refunded

    def move(self, order_no: str, amount_fen: int, now: float) -> None:
        """Book a charge, or a refund of a negative amount, at `now` (seconds)."""
        if amount_fen >= 0:
            self.charged += amount_fen
        else:
            self.refunded -= amount_fen
        self._log.add(order_no, amount_fen, now)

    def between(self, start: float, end: float) -> list[Movement]:
        """Movements in [start, end) seconds, in order."""
        return [
            Movement(entry.name, entry.number, entry.time)
            for entry in self._log.between(start, end)
        ]


def settlement_csv(rows: list[SettlementRow]) -> str:
    """The settlement file: a header, one line a movement, and a line of totals."""
    charged = sum(row.amount_fen for row in rows if row.kind == "charge")
    refunded = sum(row.amount_fen for row in rows if row.kind == "refund")
    return csv_text(
        SettlementRow.__struct_fields__,
        map(msgspec.structs.astuple, rows),
        totals=("", f"charge {charged} refund {refunded}", charged - refunded, "", ""),
    )
