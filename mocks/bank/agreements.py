"""Agreements that merchants hold at the bank, and the daily file that tells them (签约文件)."""

from __future__ import annotations

from typing import Literal

import msgspec

from mocks.daily_log import HOUR, KEPT_HOURS, DailyLog
from mocks.recent import Recent
from scenarios.csv_cells import csv_text

Kind = Literal["signed", "terminated"]

_SIGNED, _TERMINATED = 1, -1


class AgreementRow(msgspec.Struct, frozen=True):
    """One event: the order that signed or terminated an agreement; `time` in seconds."""

    agreement_no: str
    order_no: str
    kind: Kind
    time: float


class AgreementBook:
    """The agreements of one namespace. A card has one agreement number, which several orders may
    sign; terminating it ends all of that."""

    def __init__(self) -> None:
        self._log = DailyLog()
        # The order that signed an agreement last; empty once it was terminated.
        self._signed_by: Recent[str, str] = Recent(keep=KEPT_HOURS * HOUR)

    def sign(self, agreement_no: str, order_no: str, at: float) -> None:
        """Signed `at` (seconds), which may be a moment to come."""
        self._signed_by.put(agreement_no, order_no, at)
        self._log.add(f"{agreement_no} {order_no}", _SIGNED, at)

    def terminate(
        self, agreement_no: str, order_no: str, now: float, original_order_no: str = ""
    ) -> bool:
        """End an agreement; False when none of this number is in force, or when another order than
        `original_order_no`, if given, signed it last."""
        signed_by = self._signed_by.get(agreement_no)
        if not signed_by or original_order_no not in ("", signed_by):
            return False
        self._signed_by.put(agreement_no, "", now)
        self._log.add(f"{agreement_no} {order_no}", _TERMINATED, now)
        return True

    def between(self, start: float, end: float) -> list[AgreementRow]:
        """What was signed and terminated in [start, end) seconds, in order of time."""
        rows = []
        for entry in self._log.between(start, end):
            agreement_no, _, order_no = entry.name.partition(" ")
            kind: Kind = "signed" if entry.number == _SIGNED else "terminated"
            rows.append(AgreementRow(agreement_no, order_no, kind, entry.time))
        return sorted(rows, key=lambda row: row.time)


def agreement_csv(rows: list[AgreementRow]) -> str:
    """The agreement file: a header, one line an event, and a line of totals."""
    signed = sum(row.kind == "signed" for row in rows)
    return csv_text(
        AgreementRow.__struct_fields__,
        map(msgspec.structs.astuple, rows),
        totals=("", f"signed {signed} terminated {len(rows) - signed}", ""),
    )
