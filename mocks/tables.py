"""Reads the tables of codes, schedules and magic values that lie beside the models as CSV."""

from __future__ import annotations

import csv
from importlib.resources import files


def read_table(package: str, name: str) -> list[dict[str, str]]:
    """The rows of `name` in `package` by column; lines that begin with # tell the source."""
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return list(csv.DictReader(lines))
