"""Markdown tables of prediction against measurement: their lines, and why a figure is off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

UNEXPLAINED = "not explained yet"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The Markdown table."""
    return "\n".join(map(_line, (headings, ["---"] * len(headings), *rows)))


def explanation(name: str, notes: Mapping[str, str]) -> str:
    """The note on `name` as a cell."""
    return " ".join(notes.get(name, UNEXPLAINED).split()).replace("|", "\\|")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
