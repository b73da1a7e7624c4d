"""Runs with a twin, written by hand so that every figure is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

from reports import events
from reports.recorder import Recorder
from reports.resilience import resilience
from reports.resilience_schema import Resilience
from scenarios.schema import Scenario

RATE = 10
DURATION = 120.0
TOOK = 2.0
FAULT = (40.0, 50.0)

Fate = Callable[[float], tuple[float, int]]
"""For an arrival: how many seconds its binding takes (infinite: never) and how many bank calls."""


def healthy(arrived: float) -> tuple[float, int]:
    return TOOK, 1


def scenario(**changes: object) -> Scenario:
    fields: dict[str, object] = {
        "name": "twin",
        "duration": DURATION,
        "drain": 60.0,
        "arrivals": {"kind": "constant", "rate": RATE},
        "faults": [
            {"kind": "outage", "target": "bank", "start": FAULT[0], "duration": FAULT[1] - FAULT[0]}
        ],
    }
    return Scenario.model_validate(fields | changes)


def measured(folder: Path, fate: Fate, **changes: object) -> Resilience:
    for name, each in (("sim", fate), ("twin", healthy)):
        with Recorder(folder / name) as recorder:
            for row in _rows(each):
                recorder.add(row)
    found = resilience(folder / "sim", scenario(**changes))
    assert found is not None
    return found


def _rows(fate: Fate) -> Iterator[events.Row]:
    for n in range(int(RATE * DURATION)):
        arrived = n / RATE
        took, calls = fate(arrived)
        pressed = arrived + 1.0
        yield events.arrival(n, arrived, arrived)
        status = 200 if calls == 1 else 503
        yield events.request(n, "confirm", 1, pressed, pressed, pressed + 0.2, status, "")
        for nth in range(calls):
            yield events.call("bank", "open", "icbc", pressed + nth / 100, 0.1, status, "00")
        if math.isfinite(took):
            yield events.end(n, arrived, arrived + took, "ACTIVE", "bound")
        else:
            yield events.end(n, arrived, arrived + 5.0, "FAILED", "bank_unavailable")
