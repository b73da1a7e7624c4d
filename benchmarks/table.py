"""The table of ratios in a Markdown page, between two marks."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

BEGIN = "<!-- begin: python -m benchmarks --write -->"
END = "<!-- end -->"


def written(page: str, lines: Iterable[dict[str, Any]], where: str) -> str:
    """`page` with the table of these results in place of the old one. Raises ValueError when the
    page does not hold the marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no place for the table: {BEGIN} … {END}")
    rows = "\n".join(row(line) for line in lines)
    table = f"| benchmark | ratio | figures |\n| --- | ---: | --- |\n{rows}"
    return f"{before}{BEGIN}\n{where}\n\n{table}\n{END}{after}"


def row(line: dict[str, Any]) -> str:
    """One result as a row."""
    name = str(line["benchmark"]).replace("_", " ")
    if line["ratio"] is None:
        return f"| {name} | | left out: {line['left_out']} |"
    figures = (
        f"{key.replace('_', ' ')} {figure(value)}"
        for key, value in line.items()
        if key not in ("benchmark", "ratio")
    )
    return f"| {name} | {line['ratio']:.2f} | {'; '.join(figures)} |"


def figure(value: Any) -> str:
    """A figure for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " / ".join(figure(each) for each in value)
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def machine() -> str:
    """What it was measured on, and when."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {processor()}, {os.cpu_count()} cores,"
        f" {platform.system()}, Python {platform.python_version()}."
    )


def processor() -> str:
    """The processor's name, or its architecture where the system does not tell."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()
