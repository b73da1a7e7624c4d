"""One line a benchmark: a ratio, and the figures that it is made of."""

from __future__ import annotations

import json
from typing import Any


def report(name: str, ratio: float, **figures: Any) -> None:
    """Print the result of a benchmark as a JSON line; `figures` name their units."""
    print(json.dumps({"benchmark": name, "ratio": round(ratio, 4), **figures}), flush=True)


def left_out(name: str, why: str) -> None:
    """Print that a benchmark has no ratio on this machine."""
    print(json.dumps({"benchmark": name, "ratio": None, "left_out": why}), flush=True)
