"""`bindrill capacity`: the highest arrival rate at which the objectives hold, in both clocks."""

from __future__ import annotations

import platform
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil
from rich.console import Console

from bindrill.calibrate import calibrate_at_loads
from bindrill.console import plain_console, print_json
from bindrill.display import Display
from bindrill.errors import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_LIMITED,
    EXIT_MET,
    EXIT_MISSED,
    InputProblem,
)
from bindrill.leftovers import tidy
from bindrill.option_values import parsed, positive
from loadtests.capacity import Load, live_limit
from reports.capacity import words
from reports.capacity.bounds import Demand, bounds_of
from reports.capacity.page import write_page
from reports.capacity.result import Capacity, Limit, Measured
from reports.capacity.scaling import at_rate, own_rate
from reports.capacity.search import Bounds, Search
from reports.claims import claim
from reports.numbers import shown
from reports.run_folder import Clock, new_folder
from scenarios.calibration import load_calibration
from scenarios.interruption import undisturbed
from scenarios.loader import load_scenario, override
from scenarios.passwords import command_line
from scenarios.schema import Scenario
from scenarios.units import format_duration, parse_duration, parse_rate, parse_share
from scenarios.variants import variant
from scenarios.whole_file import named_in_errors
from sim.capacity import default_bounds, simulated_limit
from sim.cluster import simulators
from sim.executor import cores
from sim.replications import empty_replication, replication_seed
from sim.twin import run_twin

CALIBRATION = "calibration.yaml"
STEP = 1.25
"""By how much a live search widens from the rate that the simulation found; 2 without one."""


class CapacityOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `bindrill capacity`, as `bindrill.cli` describes them."""

    clocks: tuple[Clock, ...]
    variant: str | None
    seed: int | None
    duration: str | None
    lowest: str | None
    highest: str | None
    precision: str
    replications: int
    repeats: int
    within: str
    jobs: int | None
    cluster: str | None
    processes: int
    database: str | None
    target: str | None
    allow_remote: bool
    calibration: Path | None
    calibrate: bool
    out: Path
    json: bool
    judge_at_limit: bool = False


def find_capacity(name: str, options: CapacityOptions) -> int:
    """Search in the clocks asked for, write the page, print the table; the exit code: 99 when the
    objectives hold at no rate, 98 when the testbed was the limit, 97 when no rate was tested.

    Raises the exceptions of `bindrill.errors.user_problems`.
    """
    scenario = _scenario(name, options)
    if options.target is not None:
        from loadtests.stack import check_target

        check_target(options.target, options.allow_remote)
    file = options.calibration
    calibration = None if file is None else load_calibration(file)
    bounds = _bounds(scenario, options)
    precision = _precision(options.precision)
    _require_customers(scenario, bounds.lowest, options)
    within = positive("--within", options.within, parse_duration, "a duration such as 1h")
    console = plain_console(stderr=options.json)
    started = datetime.now(UTC)
    tidy(options.out)
    folder = claim(new_folder(options.out, f"{scenario.name}-capacity-{started:%Y%m%d-%H%M%S}"))
    console.print(
        f"{scenario.name}: from {shown(bounds.lowest, '/s')} to {shown(bounds.highest, '/s')},"
        f" {format_duration(scenario.duration)} a measure, seed {scenario.seed}, into {folder}",
    )
    if _measures_first(options):
        # What a request costs on this machine, from loads below the limit that is to be predicted.
        file = Path(CALIBRATION)
        calibration = calibrate_at_loads(
            scenario, console, database=options.database, quiet=options.json
        )
        if calibration is None:
            shutil.rmtree(folder)
            console.print("Interrupted while this machine was measured; no search has begun.")
            return EXIT_INTERRUPTED
        calibration.save(folder / file)
    calibrated = "those of the scenario; `bindrill calibrate` measures this machine's"
    if calibration is not None:
        scenario = calibration.applied(scenario)
        calibrated = f"{file} ({calibration.measured})"
    journal = _Journal(folder / "measures.jsonl", console, quiet=options.json)
    limits: list[Limit] = []
    for clock in options.clocks:
        if clock == "sim":
            limit = _simulated(scenario, bounds, precision, options, journal)
        else:
            near = limits[0].rate if limits else None
            limit = _live(scenario, bounds, precision, within, near, folder, options, journal)
        limits.append(limit)
        if limit.state == "interrupted":
            break
    capacity = Capacity(
        scenario=scenario.name,
        title=scenario.title,
        seed=scenario.seed,
        duration=scenario.duration,
        own_rate=own_rate(scenario),
        precision=precision,
        objectives=scenario.objectives,
        started=started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        command=command_line(["bindrill", *sys.argv[1:]]),
        machine=_machine(),
        calibration=calibrated,
        limits=tuple(limits),
        bounds=bounds_of(scenario, _demand(limits)) if limits and limits[0].measures else (),
    )
    with undisturbed():
        page = write_page(capacity, scenario, folder)
    for line in (*words.lines(capacity), "", f"Report: {page}"):
        console.print(line)
    if options.json:
        print_json({"report": page, "capacity": capacity})
    states = {limit.state for limit in limits}
    if "interrupted" in states:
        return EXIT_INTERRUPTED
    if "limited" in states:
        return EXIT_LIMITED
    if any(limit.untested for limit in limits):
        return EXIT_FAILED
    return EXIT_MISSED if "never" in states else EXIT_MET


def _scenario(name: str, options: CapacityOptions) -> Scenario:
    scenario = override(load_scenario(name), seed=options.seed, duration=options.duration)
    if options.variant is not None:
        scenario = variant(scenario, options.variant)
    if not scenario.objectives:
        raise InputProblem(f"{name} has no objectives to hold; add some, such as p95(confirm) < 1s")
    if own_rate(scenario) <= 0:
        raise InputProblem(f"{name}: its own rate of arrivals is 0, which has no multiple")
    return scenario


def _require_customers(scenario: Scenario, lowest: float, options: CapacityOptions) -> None:
    most = 3 * max(options.replications, options.repeats)
    if empty_replication(at_rate(scenario, lowest, scenario.seed), most) is not None:
        raise InputProblem(
            f"--from: at {shown(lowest, '/s')} nobody would arrive within"
            f" {format_duration(scenario.duration)}; write a higher rate, or give --duration more"
        )


def _measures_first(options: CapacityOptions) -> bool:
    """Only where both clocks are compared, and the lender is ours."""
    both = len(options.clocks) == 2
    return options.calibrate and options.calibration is None and both and options.target is None


def _bounds(scenario: Scenario, options: CapacityOptions) -> Bounds:
    usual = default_bounds(scenario)
    lowest = _rate("--from", options.lowest, usual.lowest)
    highest = _rate("--to", options.highest, max(usual.highest, lowest))
    if lowest > highest:
        raise InputProblem(f"--from {options.lowest} is above --to {options.highest or highest}")
    lowest = min(lowest, highest)
    return Bounds(start=min(max(usual.start, lowest), highest), lowest=lowest, highest=highest)


def _rate(option: str, text: str | None, otherwise: float) -> float:
    if text is None:
        return otherwise
    return positive(option, text, parse_rate, "a rate such as 2/s")


def _precision(text: str) -> float:
    precision = parsed("--precision", text, parse_share)
    if not 0.001 <= precision < 1:
        raise InputProblem(f"--precision: {text} is not between 0.1% and 100%; write 5%")
    return precision


def _simulated(
    scenario: Scenario,
    bounds: Bounds,
    precision: float,
    options: CapacityOptions,
    journal: _Journal,
) -> Limit:
    # Never more at a time than a rate has measures.
    with simulators(options.replications, options.jobs, options.cluster) as places:
        return simulated_limit(
            scenario,
            executor=places.executor,
            ahead=places.ahead,
            bounds=bounds,
            precision=precision,
            lead=options.replications,
            most=3 * options.replications,
            on_measured=journal.add,
        )


def _live(
    scenario: Scenario,
    bounds: Bounds,
    precision: float,
    within: float,
    near: float | None,
    folder: Path,
    options: CapacityOptions,
    journal: _Journal,
) -> Limit:
    deadline = time.monotonic() + within
    if near is not None:
        bounds = Bounds(start=near, lowest=bounds.lowest, highest=bounds.highest)
    with Display(journal.console, quiet=options.json) as display:
        return live_limit(
            scenario,
            folder / "live",
            bounds=bounds,
            step=2.0 if near is None else STEP,
            seed_of=lambda number: replication_seed(scenario.seed, number),
            load=Load(
                processes=options.processes,
                database=options.database,
                target=options.target,
                allow_remote=options.allow_remote,
                judge_at_limit=options.judge_at_limit,
            ),
            precision=precision,
            lead=options.repeats,
            most=3 * options.repeats,
            prepare=run_twin,
            out_of_time=lambda: time.monotonic() > deadline,
            on_progress=display.show,
            on_measured=journal.add,
        )


class _Journal:
    """Every measure as it comes: a line on disk, and a line on the console."""

    def __init__(self, path: Path, console: Console, *, quiet: bool) -> None:
        self.console = console
        self._path = path
        self._quiet = quiet

    def add(self, measure: Measured, search: Search) -> None:
        """Keep one measure; it outlives a kill."""
        with named_in_errors(self._path), self._path.open("ab") as file:
            file.write(msgspec.json.encode(measure, order="sorted") + b"\n")
        if self._quiet:
            return
        held, failed = search.counts(measure.rate)
        known = f"limit from {shown(search.low, '/s')} to {shown(search.high, '/s')}"
        clock = "simulated" if measure.clock == "sim" else "live"
        self.console.print(
            f"{clock} {shown(measure.rate, '/s')}: "
            f"{words.measure_in_words(measure)} (held {held} of {held + failed}); {known}",
        )


def _demand(limits: list[Limit]) -> Demand:
    """What an arrival asks for, by the lightest measure: the live one where there is one."""
    limit = next((each for each in reversed(limits) if each.measures), limits[0])
    light = limit.at(limit.rates[0])[0]
    return Demand(
        requests=light.requests_per_arrival, calls=light.calls_per_arrival, latency=light.steps
    )


def _machine() -> dict[str, str]:
    return {
        "cores": str(cores()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.1f} GiB",
        "platform": platform.platform(terse=True),
    }
