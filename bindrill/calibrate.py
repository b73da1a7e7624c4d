"""`bindrill calibrate`: measure this machine's service times with a light live run."""

from __future__ import annotations

import platform
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bindrill.display import Display
from bindrill.errors import EXIT_INTERRUPTED, EXIT_MET, InputProblem
from loadtests.calibration import TooFewMeasurements, measure
from scenarios.loader import load_scenario, override
from scenarios.units import format_duration


def calibrate_machine(
    name: str, *, out: Path, duration: str, rate: str, at_load: bool = False
) -> int:
    """Play a scenario lightly without its faults, write the calibration file; the exit code.

    Raises the exceptions of `bindrill.errors.user_problems`.
    """
    scenario = override(load_scenario(name), duration=duration, rate=rate)
    scenario = scenario.model_copy(update={"faults": ()})
    console = Console(highlight=False, soft_wrap=True)
    measured = f"{name} at {rate} for {duration}, {platform.node()}, {datetime.now(UTC):%Y-%m-%d}"
    console.print(f"Measuring {measured}")
    with tempfile.TemporaryDirectory(prefix="bindrill-") as folder, Display(console) as display:
        try:
            found = measure(scenario, Path(folder), measured, display.show, at_load=at_load)
        except TooFewMeasurements as few:
            raise InputProblem(str(few)) from None
    if found is None:
        return EXIT_INTERRUPTED
    found.save(out)
    for what, delay in (
        ("network, there and back", found.network),
        ("lender's processor, a request", found.service["*"]),
        ("durable commit", found.commit),
        ("gateway call beside the gateway", found.call_overhead),
    ):
        console.print(
            f"{what:<32} p50 {format_duration(delay.p50):>8}  p99 {format_duration(delay.p99):>8}"
        )
    console.print(f"Written: {out}; use it with `bindrill run {name} --calibration {out}`")
    return EXIT_MET
