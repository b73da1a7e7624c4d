"""`bindrill calibrate`: measure this machine's service times with light live runs."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bindrill.console import plain_console
from bindrill.display import Display
from bindrill.errors import EXIT_INTERRUPTED, EXIT_MET, InputProblem
from bindrill.leftovers import tidy
from bindrill.outputs import check_output, share
from loadtests.calibration import TooFewMeasurements, measure
from loadtests.calibration_at_load import LoadMeasured, at_loads, measure_at_loads
from reports.claims import scratch
from reports.numbers import shown
from reports.verdict import AT_LIMIT
from scenarios.calibration import Calibration, load_calibration
from scenarios.ceilings.judge import in_words
from scenarios.loader import load_scenario, override
from scenarios.printed_text import shell_word
from scenarios.schema import Scenario
from scenarios.units import format_duration
from sim.replications import replication_seed

LIGHT = "2/s"
"""Arrivals of a light run."""
SEEDS_FROM = 9_000
"""Replications whose seeds loads have: no measure of a search reaches them."""


def calibrate_machine(
    name: str, *, out: Path, duration: str, rate: str | None, at_load: bool = False
) -> int:
    """Play a scenario lightly, or at several loads, without its faults; write the calibration file.
    `rate` is LIGHT if not given, the scenario's own at load. The exit code.

    Raises the exceptions of `bindrill.errors.user_problems`.
    """
    if rate is None and not at_load:
        rate = LIGHT
    scenario = override(load_scenario(name), duration=duration, rate=rate)
    check_output(out, "--out", [Path(name)], replaces=load_calibration)
    console = plain_console()
    tidy()
    if at_load:
        found = calibrate_at_loads(scenario, console)
    else:
        found = _lightly(scenario, f"{name} at {rate} for {duration}", console)
    if found is None:
        return EXIT_INTERRUPTED
    found.save(out)
    share(out)
    for what, delay in (
        ("network, there and back", found.network),
        ("lender's processor, a request", found.service["*"]),
        ("durable commit", found.commit),
        ("gateway call beside the gateway", found.call_overhead),
    ):
        console.print(
            f"{what:<32} p50 {format_duration(delay.p50):>8}  p99 {format_duration(delay.p99):>8}"
        )
    if at_load:
        console.print(f"{'more at an idle processor':<32} {format_duration(found.wakeup):>12}")
    console.print(
        f"Written: {out}; use it with `bindrill run {shell_word(name)} --calibration"
        f" {shell_word(str(out))}`"
    )
    return EXIT_MET


def calibrate_at_loads(
    scenario: Scenario, console: Console, *, database: str | None = None, quiet: bool = False
) -> Calibration | None:
    """The calibration by the processor time of several loads of `scenario` without its faults, told
    load by load unless `quiet`; None when interrupted.

    Raises InputProblem when it was too short, StackProblem.
    """

    def tell(load: LoadMeasured) -> None:
        if not quiet:
            cost = load.cost
            console.print(
                f"measured at {shown(load.rate, '/s')}: lender CPU {shown(cost.busy, 'share')}"
                f" used, {format_duration(cost.processor)} of it a request{_limited(load)}",
            )

    with _measuring(console, quiet=quiet) as (folder, display):
        loads = measure_at_loads(
            _undisturbed(scenario),
            folder,
            seed_of=lambda number: replication_seed(scenario.seed, SEEDS_FROM + number),
            database=database,
            on_progress=display.show,
            on_load=tell,
        )
    if loads is None:
        return None
    rates = ", ".join(shown(load.rate, "/s") for load in loads)
    duration = format_duration(scenario.duration)
    return at_loads(loads, f"{scenario.name} at {rates}, {duration} each, {_here()}")


def _lightly(scenario: Scenario, what: str, console: Console) -> Calibration | None:
    measured = f"{what}, {_here()}"
    console.print(f"Measuring {measured}")
    with _measuring(console) as (folder, display):
        return measure(_undisturbed(scenario), folder, measured, display.show)


@contextmanager
def _measuring(console: Console, *, quiet: bool = False) -> Iterator[tuple[Path, Display]]:
    """A folder for what is played, and a display. Raises InputProblem when it was too short."""
    with (
        scratch() as folder,
        Display(console, quiet=quiet) as display,
    ):
        try:
            yield folder, display
        except TooFewMeasurements as few:
            raise InputProblem(str(few)) from None


def _undisturbed(scenario: Scenario) -> Scenario:
    return scenario.model_copy(update={"faults": ()})


def _limited(load: LoadMeasured) -> str:
    return f"; not used, {AT_LIMIT}: {in_words(load.limits)}" if load.limits else ""


def _here() -> str:
    return f"{platform.node()}, {datetime.now(UTC):%Y-%m-%d}"
