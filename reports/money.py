"""The money of a clock: what the payment gateway charged, and what of it went back."""

from __future__ import annotations

from pathlib import Path

import msgspec

from reports.run_folder import RunProblem
from scenarios.csv_cells import read_csv
from scenarios.whole_file import write_whole

_FILE = "money.json"
_SETTLEMENT = "settlement.csv"


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """Charges and refunds that succeeded at the payment gateway, in CNY fen."""

    charged_fen: int
    refunded_fen: int

    @property
    def stuck_fen(self) -> int:
        """Charged and not refunded. Every test payment is to be refunded, so 0 is right."""
        return self.charged_fen - self.refunded_fen


def write_money(money: Money, clock_folder: Path) -> None:
    """Write `money.json`, whole or not at all."""
    write_whole(clock_folder / _FILE, msgspec.json.encode(money) + b"\n")


def read_money(clock_folder: Path) -> Money | None:
    """From `money.json` of a simulation or `settlement.csv` of a live run; None with neither.

    Raises RunProblem when there is one that cannot be read.
    """
    try:
        if (clock_folder / _FILE).is_file():
            return msgspec.json.decode((clock_folder / _FILE).read_bytes(), type=Money)
        if (clock_folder / _SETTLEMENT).is_file():
            return _settled(clock_folder / _SETTLEMENT)
    except (OSError, ValueError, KeyError, msgspec.MsgspecError) as error:
        raise RunProblem(f"the money in {clock_folder} cannot be read: {error}") from None
    return None


def _settled(file: Path) -> Money:
    amounts = {"charge": 0, "refund": 0}
    movements, _ = read_csv(file.read_text(encoding="utf-8"))
    for row in movements:
        amounts[row["kind"]] += int(row["amount_fen"])
    return Money(charged_fen=amounts["charge"], refunded_fen=amounts["refund"])
