"""Small quick worlds with one narrow place each."""

from __future__ import annotations

from typing import Any

from scenarios.patch import lay_over
from scenarios.schema import Scenario

WIDE: dict[str, Any] = {
    "name": "narrow",
    "seed": 3,
    "duration": 8.0,
    "drain": 3.0,
    "arrivals": {"kind": "poisson", "rate": 10.0},
    "population": {
        "typos": dict.fromkeys(("name", "id_number", "phone", "card_number", "otp"), 0.0),
        "returning": 0.0,
    },
    "journey": {"pace": 0.01, "status_poll": 0.5, "otp_wait": 500.0},
    "world": {
        "network": 0.001,
        "bank": {"latency": {"open": 0.02, "query": 0.01}, "decline": {}},
        "sms": {
            "latency": {"send": 0.01},
            "carrier": {"delay": 0.02, "loss": 0.0, "duplicate": 0.0},
            "limits": {"minute": 20, "hour": 100, "day": 100},
        },
        "payment": {
            "latency": {"charge": 0.02, "refund": 0.02, "query": 0.01},
            "decline": 0.0,
            "notifications": {"delay": 0.02, "speedup": 1000.0},
        },
        "lender": {"service": {"*": 0.0002}, "commit": 0.0005, "workers": 500},
    },
    "objectives": ["success_rate >= 90%", "p95(confirm) < 400ms", "throughput >= 8/s"],
}
"""A world in which nothing is narrow at some tens of arrivals a second."""


def narrow(**changes: Any) -> Scenario:
    """WIDE with changes by dotted path, dots written as two underscores."""
    patched = lay_over(WIDE, {path.replace("__", "."): value for path, value in changes.items()})
    return Scenario.model_validate(patched.data)
