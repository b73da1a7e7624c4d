"""Scenarios of a few seconds, in which people are a hundred times as fast."""

from __future__ import annotations

from typing import Any

from scenarios.schema import Scenario


def small(name: str, *, rate: float = 6.0, duration: float = 4.0, **changes: Any) -> Scenario:
    """A healthy world in which nobody mistypes; `changes` replace sections."""
    quick = {"p50": 0.01, "p99": 0.02}
    sections: dict[str, Any] = {
        "name": name,
        "seed": 5,
        "duration": duration,
        "drain": 30.0,
        "arrivals": {"kind": "poisson", "rate": rate},
        "population": {
            "typos": dict.fromkeys(("name", "id_number", "phone", "card_number", "otp"), 0.0),
            "returning": 0.0,
        },
        "journey": {"pace": 0.01, "status_poll": 0.1, "otp_wait": 500.0, "patience": 3000.0},
        "world": {
            "bank": {"latency": {"open": quick, "query": quick}, "decline": {}},
            "sms": {
                "latency": {"send": quick},
                "carrier": {"delay": quick, "loss": 0.0, "duplicate": 0.0},
                "limits": {"minute": 20, "hour": 100, "day": 100},
            },
            "payment": {
                "latency": dict.fromkeys(("charge", "refund", "query"), quick),
                "decline": 0.0,
                "notifications": {"delay": quick, "speedup": 1000.0},
            },
        },
        **changes,
    }
    sections["journey"]["patience"] = {"p50": 3000.0, "p99": 3000.0}
    return Scenario.model_validate(sections)
