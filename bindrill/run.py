"""`bindrill run`: a scenario in virtual time, then in wall time, and the report of both."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
from rich.console import Console

from bindrill.display import Display
from bindrill.results import show_run
from bindrill.twin import play_twin
from loadtests.live_run import run_live
from reports.run_folder import Clock, RunFolder, State
from reports.verdict import conclude
from scenarios.arrivals import arrival_times
from scenarios.calibration import load_calibration
from scenarios.loader import load_scenario, override
from scenarios.schema import Scenario
from scenarios.units import format_duration
from sim.run import run_sim


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `bindrill run`, as `bindrill.cli` describes them."""

    clocks: tuple[Clock, ...]
    seed: int | None
    duration: str | None
    rate: str | None
    out: Path
    target: str | None
    allow_remote: bool
    processes: int
    database: str | None
    calibration: Path | None
    json: bool
    twin: bool = True


def run_scenario(name: str, options: RunOptions) -> int:
    """Play a scenario in the clocks asked for; returns the exit code.

    Raises the exceptions of `bindrill.errors.user_problems`.
    """
    scenario = override(
        load_scenario(name), seed=options.seed, duration=options.duration, rate=options.rate
    )
    if options.calibration is not None:
        scenario = load_calibration(options.calibration).applied(scenario)
    console = Console(stderr=options.json)
    run = RunFolder.create(options.out, scenario, command=["bindrill", *sys.argv[1:]])
    planned = sum(1 for _ in arrival_times(scenario.arrivals, scenario.seed, scenario.duration))
    console.print(
        f"{scenario.name}: {planned:,} customers in {format_duration(scenario.duration)}"
        f", seed {scenario.seed}, into {run.path}",
        highlight=False,
        soft_wrap=True,
    )
    if options.twin:
        play_twin(scenario, run.clock_folder(options.clocks[0]), console, quiet=options.json)
    for clock in options.clocks:
        folder = run.begin(clock, planned=planned)
        with Display(console, quiet=options.json) as display:
            try:
                state, wall = _PLAY[clock](scenario, folder, options, display, console)
            except BaseException:
                run.record.clocks[clock].state = "failed"
                run.save()
                raise
        conclude(run, clock, state=state, wall_seconds=wall)
        if state == "interrupted":
            break
    return show_run(run, console, as_json=options.json)


def _sim(
    scenario: Scenario, folder: Path, options: RunOptions, display: Display, console: Console
) -> tuple[State, float]:
    result = run_sim(scenario, folder, display.show)
    return result.state, result.wall_seconds


def _live(
    scenario: Scenario, folder: Path, options: RunOptions, display: Display, console: Console
) -> tuple[State, float]:
    def say_where(urls: dict[str, str]) -> None:
        if options.target is not None:
            gateways = ", ".join(f"{name} {url}" for name, url in urls.items() if name != "lender")
            console.print(f"Loading {options.target}; its partners: {gateways}", highlight=False)

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
    return result.state, result.wall_seconds


_PLAY: dict[
    Clock, Callable[[Scenario, Path, RunOptions, Display, Console], tuple[State, float]]
] = {"sim": _sim, "live": _live}
