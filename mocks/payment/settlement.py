"""The money that moved, and the settlement file that tells it."""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from typing import Literal

import msgspec

CHINA = timezone(timedelta(hours=8), "UTC+8")
HOUR = 3600.0
KEPT_HOURS = 49
"""Movements older than this are dropped: a day's file can be read until the next day ends."""

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


class _Hour:
    """The movements of one hour, packed: a busy day has millions."""

    __slots__ = ("amounts", "ends", "names", "times")

    def __init__(self) -> None:
        self.names = bytearray()
        self.ends = array("Q")
        self.amounts = array("q")
        self.times = array("d")

    def add(self, order_no: str, amount_fen: int, now: float) -> None:
        self.names += order_no.encode(errors="surrogatepass")
        self.ends.append(len(self.names))
        self.amounts.append(amount_fen)
        self.times.append(now)

    def __iter__(self) -> Iterator[Movement]:
        start = 0
        for end, amount, at in zip(self.ends, self.amounts, self.times, strict=True):
            yield Movement(self.names[start:end].decode(errors="surrogatepass"), amount, at)
            start = end


class Ledger:
    """Charges and refunds of one namespace, by the hour."""

    def __init__(self) -> None:
        self.charged = 0
        """Fen charged in total, dropped hours included."""
        self.refunded = 0
        """Fen refunded in total."""
        self._hours: dict[int, _Hour] = {}

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
        hour = int(now // HOUR)
        kept = self._hours.get(hour)
        if kept is None:
            kept = self._hours[hour] = _Hour()
            for old in [past for past in self._hours if past <= hour - KEPT_HOURS]:
                del self._hours[old]
        kept.add(order_no, amount_fen, now)

    def between(self, start: float, end: float) -> list[Movement]:
        """Movements in [start, end) seconds, in order."""
        return [
            movement
            for hour in sorted(self._hours)
            if start < (hour + 1) * HOUR and hour * HOUR < end
            for movement in self._hours[hour]
            if start <= movement.time < end
        ]


def day_bounds(day: date) -> tuple[float, float]:
    """Seconds since the epoch at which `day` begins and ends in China."""
    midnight = datetime.combine(day, time(), CHINA)
    return midnight.timestamp(), (midnight + timedelta(days=1)).timestamp()


def settlement_csv(rows: list[SettlementRow]) -> str:
    """The settlement file: a header, one line a movement, and a line of totals."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(SettlementRow.__struct_fields__)
    writer.writerows(msgspec.structs.astuple(row) for row in rows)
    charged = sum(row.amount_fen for row in rows if row.kind == "charge")
    refunded = sum(row.amount_fen for row in rows if row.kind == "refund")
    writer.writerow(
        ("TOTAL", "", f"charge {charged} refund {refunded}", charged - refunded, "", "")
    )
    return out.getvalue()
