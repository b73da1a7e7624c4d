"""The bank's two code tables and the way from one to the other, as data.

Behind the online gateway stands the switch: it answers in ISO 8583 field 39, and the gateway turns
that into the `respCode` which merchants see.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from scenarios.data_files import read_table

_PACKAGE = "mocks.bank"

Kind = Literal["approved", "declined", "unknown", "request", "unavailable"]


class Code(msgspec.Struct, frozen=True):
    """One answer: what it means, in English and Chinese, and what a client makes of it (`kind`)."""

    code: str
    kind: Kind
    en: str
    zh: str


def _codes(name: str) -> dict[str, Code]:
    return {row["code"]: msgspec.convert(row, Code) for row in read_table(_PACKAGE, name)}


ONLINE: dict[str, Code] = _codes("online.csv")
"""`respCode` of the online gateway."""

FIELD39: dict[str, Code] = _codes("field39.csv")
"""ISO 8583 field 39 of the switch."""

TO_ONLINE: dict[str, str] = {
    row["field39"]: row["online"] for row in read_table(_PACKAGE, "mapping.csv")
}
"""`respCode` by field 39."""
