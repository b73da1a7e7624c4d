"""Drills of a few seconds, in which people are a hundred times as fast."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loadtests.drill.run import run_drill
from reports.drills.result import DrillResult
from reports.run_folder import RunFolder
from scenarios.schema import Scenario

QUICK = {"p50": 0.01, "p99": 0.02}
SQLITE = {"kind": "sqlite-backup", "backup_every": 1.0, "keep": 20}


def quick(
    steps: list[dict[str, Any]],
    topology: dict[str, Any] | None = None,
    *,
    rate: float = 8.0,
    duration: float = 6.5,
    **drill: Any,
) -> Scenario:
    """A healthy world in which nobody mistypes, until `steps` break it."""
    return Scenario.model_validate(
        {
            "name": "quick",
            "seed": 5,
            "duration": duration,
            "drain": 6.0,
            "arrivals": {"kind": "poisson", "rate": rate},
            "population": {
                "typos": dict.fromkeys(("name", "id_number", "phone", "card_number", "otp"), 0.0),
                "returning": 0.0,
            },
            "journey": {
                "pace": 0.01,
                "status_poll": 0.1,
                "otp_wait": 500.0,
                "request_timeout": 3.0,
                "come_back": 0.0,
                "patience": {"p50": 500.0, "p99": 500.0},
            },
            "world": {
                "bank": {"latency": {"open": QUICK, "query": QUICK}, "decline": {}},
                "sms": {
                    "latency": {"send": QUICK},
                    "carrier": {"delay": QUICK, "loss": 0.0, "duplicate": 0.0},
                    "limits": {"minute": 20, "hour": 100, "day": 100},
                },
                "payment": {
                    "latency": dict.fromkeys(("charge", "refund", "query"), QUICK),
                    "decline": 0.0,
                    "notifications": {"delay": QUICK, "speedup": 1000.0},
                },
            },
            "topology": topology or SQLITE,
            "drill": {
                "probe": {"every": 0.1, "timeout": 1.0, "failures": 2},
                "decision": {"p50": 0.2, "p99": 0.2},
                "stable_for": 1.0,
                "steps": steps,
                **drill,
            },
        }
    )


def carried_out(scenario: Scenario, base: Path, **options: Any) -> tuple[Path, DrillResult]:
    """The run's folder, and what came of it."""
    run = RunFolder.create(base, scenario)
    run.begin("live")
    return run.path, run_drill(run, **options)
