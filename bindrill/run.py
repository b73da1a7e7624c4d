"""`bindrill run`: a scenario, or its variants, in virtual time, then in wall time; the report."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.console import Console

from bindrill.console import plain_console
from bindrill.counted import counted
from bindrill.display import Display
from bindrill.errors import InputProblem
from bindrill.leftovers import tidy
from bindrill.option_values import parsed
from bindrill.twin import play_twin
from mocks.lender.database_url import DatabaseUrl
from reports.claims import claimed
from reports.replications import write_replications
from reports.room import check_room
from reports.run_folder import Clock, RunFolder, State
from reports.variants import create_variant
from reports.verdict import conclude
from scenarios.arrivals import arrival_count
from scenarios.calibration import load_calibration
from scenarios.interruption import undisturbed
from scenarios.loader import load_scenario, override
from scenarios.schema import Scenario
from scenarios.units import format_duration, parse_share
from scenarios.variants import variant
from sim.cluster import simulators
from sim.replications import Part, Replicated, empty_replication, replicate
from sim.run import run_sim


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `bindrill run`, as `bindrill.cli` describes them."""

    clocks: tuple[Clock, ...]
    seed: int | None
    duration: str | None
    rate: str | None
    variant: str | None
    replications: int
    jobs: int | None
    cluster: str | None = None
    precision: str | None
    out: Path
    target: str | None
    allow_remote: bool
    processes: int
    database: str | None
    calibration: Path | None
    json: bool
    twin: bool = True
    judge_at_limit: bool = False


def run_scenario(name: str, options: RunOptions) -> int:
    """Play a scenario, or its variants, in the clocks asked for; returns the exit code.

    Raises the exceptions of `bindrill.errors.user_problems`.
    """
    scenario = override(
        load_scenario(name), seed=options.seed, duration=options.duration, rate=options.rate
    )
    if scenario.drill is not None:
        raise InputProblem(f"{name} is a drill; carry it out with: bindrill drill {name}")
    if scenario.topology.kind != "single":
        raise InputProblem(f"{name} has a topology, which only drills have; leave it out")
    if options.calibration is not None:
        scenario = load_calibration(options.calibration).applied(scenario)
    precision = _precision(options)
    names = [each.name for each in scenario.variants]
    if options.variant is not None:
        names = [options.variant]
    variants = {name: variant(scenario, name) for name in names}
    if options.target is not None and len(variants) > 1:
        raise InputProblem(
            "--target replaces the lender, whose policies the variants change: choose one variant"
            f" with --variant {next(iter(variants))}"
        )
    _require_customers([*variants.values()] or [scenario], options.replications)
    _require_simulation(scenario, options)
    if options.target is not None:
        from loadtests.stack import check_target

        check_target(options.target, options.allow_remote)
    if options.database is not None:
        DatabaseUrl(options.database)
    console = plain_console(stderr=options.json)
    tidy(options.out)
    planned = sum(map(_planned, variants.values() or [scenario]))
    check_room(options.out, planned, options.clocks)
    run = RunFolder.create(options.out, scenario, command=["bindrill", *sys.argv[1:]])
    console.print(
        f"{scenario.name}: {_planned(scenario):,} customers in {format_duration(scenario.duration)}"
        f", seed {scenario.seed}, into {run.path}",
    )
    if "live" in options.clocks:
        _warn_of_limits(variants.values() or [scenario], console)
    with claimed(run.path):
        parts = [
            create_variant(run, each, variants[each.name])
            for each in scenario.variants
            if each.name in variants
        ] or [run]
        _play_all(parts, options, precision, console)
        from bindrill.results import show_run  # plots are big, and are drawn when worlds are gone

        return show_run(run, console, as_json=options.json)


def _play_all(
    parts: list[RunFolder], options: RunOptions, precision: float | None, console: Console
) -> None:
    for clock in options.clocks:
        if clock == "sim" and options.replications > 1:
            state = _replicate(parts, options, precision, console)
        else:
            state = _play_each(clock, parts, options, console)
        if state == "interrupted":
            break


def _warn_of_limits(scenarios: Iterable[Scenario], console: Console) -> None:
    from loadtests.files_needed import too_few_files  # virtual time needs nothing of loadtests

    warnings = (too_few_files(each) for each in scenarios)
    if warning := next(filter(None, warnings), ""):
        console.print(warning, highlight=False, markup=False, soft_wrap=True)


def _precision(options: RunOptions) -> float | None:
    if options.precision is None:
        return None
    precision = parsed("--precision", options.precision, parse_share)
    if not 0 < precision < 1:
        raise InputProblem(f"--precision: {options.precision} is not between 0 and 1; write 5%")
    return precision


def _require_customers(scenarios: Sequence[Scenario], replications: int) -> None:
    for scenario in scenarios:
        number = empty_replication(scenario, replications)
        if number is not None:
            raise InputProblem(
                f"--replications {replications}: nobody arrives in number {number}; give --rate or"
                " --duration more"
            )


def _require_simulation(scenario: Scenario, options: RunOptions) -> None:
    """A calibration is of the simulator: of a live run it changes the twin alone."""
    twin = options.twin and scenario.faults
    if options.calibration is not None and "sim" not in options.clocks and not twin:
        raise InputProblem(
            f"--calibration {options.calibration} is for the simulation, and nothing is simulated;"
            " leave it out, or leave out --live"
        )


def _planned(scenario: Scenario) -> int:
    return arrival_count(scenario.arrivals, scenario.seed, scenario.duration)


def _play_each(
    clock: Clock, parts: list[RunFolder], options: RunOptions, console: Console
) -> State:
    for part in parts:
        if len(parts) > 1:
            console.print(f"Variant {part.path.name}")
        if options.twin and not part.clocks:
            play_twin(part.scenario, part.clock_folder(clock), console, quiet=options.json)
        state = _play_once(clock, part, options, console)
        if state == "interrupted":
            return state
    return "complete"


def _play_once(clock: Clock, run: RunFolder, options: RunOptions, console: Console) -> State:
    folder = run.begin(clock, planned=_planned(run.scenario))
    began = time.monotonic()
    try:
        with Display(console, quiet=options.json) as display:
            state, wall, note = _PLAY[clock](run.scenario, folder, options, display, console)
    except KeyboardInterrupt:
        state, wall, note = "interrupted", time.monotonic() - began, ""
    except BaseException as problem:
        _fail(run, clock, problem)
        raise
    with undisturbed():
        conclude(
            run,
            clock,
            state=state,
            wall_seconds=wall,
            note=note,
            judge_at_limit=options.judge_at_limit,
        )
    return state


def _replicate(
    parts: list[RunFolder], options: RunOptions, precision: float | None, console: Console
) -> State:
    """Every part in virtual time so many times; how it ended."""
    began = time.perf_counter()
    folders = [run.begin("sim", planned=_planned(run.scenario)) for run in parts]
    total = options.replications * len(parts)
    try:
        with (
            simulators(total, options.jobs, options.cluster) as places,
            counted(console, "simulations", total, quiet=options.json) as on_done,
        ):
            found: Sequence[Replicated] = replicate(
                [Part(run.scenario, folder) for run, folder in zip(parts, folders, strict=True)],
                options.replications,
                places.executor,
                scratch=places.scratch,
                ahead=places.ahead,
                twin=options.twin,
                precision=precision,
                on_done=on_done,
            )
    except KeyboardInterrupt:
        found = ()
    except BaseException as problem:
        for run in parts:
            _fail(run, "sim", problem)
        raise
    with undisturbed():
        return _conclude_replications(parts, found, time.perf_counter() - began)


def _conclude_replications(
    parts: list[RunFolder], found: Sequence[Replicated], wall: float
) -> State:
    """`found` is empty when it was interrupted before any figure was merged."""
    state: State = "interrupted"
    for run, replicated in zip_longest(parts, found):
        if replicated is not None:
            write_replications(replicated.result, replicated.summaries, run.clock_folder("sim"))
            state = "interrupted" if replicated.result.stopped == "interrupted" else "complete"
        conclude(run, "sim", state=state, wall_seconds=wall)
    return state


def _fail(run: RunFolder, clock: Clock, problem: BaseException) -> None:
    """A failed run says why, and shows what there is."""
    with undisturbed():
        note = (str(problem).splitlines() or [type(problem).__name__])[0]
        conclude(run, clock, state="failed", wall_seconds=0.0, note=note)


class _Ended(NamedTuple):
    """How a clock ended, how long it took in seconds, and why it failed."""

    state: State
    wall_seconds: float
    note: str = ""


def _sim(
    scenario: Scenario, folder: Path, options: RunOptions, display: Display, console: Console
) -> _Ended:
    result = run_sim(scenario, folder, display.show)
    return _Ended(result.state, result.wall_seconds)


def _live(
    scenario: Scenario, folder: Path, options: RunOptions, display: Display, console: Console
) -> _Ended:
    def say_where(urls: dict[str, str]) -> None:
        if options.target is not None:
            gateways = ", ".join(f"{name} {url}" for name, url in urls.items() if name != "lender")
            console.print(f"Loading {options.target}; its partners: {gateways}")

    from loadtests.live_run import run_live  # Locust is big, and virtual time needs none of it

    result = run_live(
        scenario,
        folder,
        target=options.target,
        allow_remote=options.allow_remote,
        processes=options.processes,
        database=options.database,
        on_progress=display.show,
        on_ready=say_where,
    )
    return _Ended(result.state, result.wall_seconds, result.note)


_PLAY: dict[Clock, Callable[[Scenario, Path, RunOptions, Display, Console], _Ended]] = {
    "sim": _sim,
    "live": _live,
}
