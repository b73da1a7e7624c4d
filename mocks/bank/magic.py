"""Cards that choose their outcome, from `magic.csv`."""

from __future__ import annotations

import msgspec

from scenarios.data_files import read_table
from scenarios.faults.base import Transport


class MagicCard(msgspec.Struct, frozen=True):
    """What opening one card does.

    `switch_code`: field 39 at first; `final`: field 39 that a query tells once settled; `times`:
    how many opens it concerns, 0 for all; `delay`: seconds more than usual; `transport` other than
    `ok`: the work is done and the answer lost; `charge`: last digits of the agreement number.
    """

    switch_code: str
    final: str
    times: int
    delay: float
    transport: Transport
    charge: str

    def concerns(self, nth: int) -> bool:
        """Whether the `nth` open, from 0, has this outcome instead of approval."""
        return not self.times or nth < self.times


def _card(row: dict[str, str]) -> MagicCard:
    record = {
        **row,
        "final": row["final"] or row["switch_code"],
        "times": row["times"] or 0,
    }
    return msgspec.convert(record, MagicCard, strict=False)


MAGIC_CARDS: dict[str, MagicCard] = {
    row["card_number"]: _card(row) for row in read_table("mocks.bank", "magic.csv")
}
"""By card number."""
