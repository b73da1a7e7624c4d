"""`bindrill sweep`: a grid of simulations, its map and its table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bindrill.console import plain_console
from bindrill.counted import counted
from bindrill.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_MET, InputProblem
from bindrill.leftovers import tidy
from bindrill.option_values import parsed
from reports.claims import claim
from reports.run_folder import new_folder
from reports.sweep_page import write_sweep
from reports.swept import Measure, Swept, measure_named
from reports.untested import untested
from scenarios.loader import load_scenario, override
from scenarios.schema import Scenario
from scenarios.variants import variant
from scenarios.varied import Dimension, parse_dimension
from sim.cluster import simulators
from sim.sweep import Cell, grid, sweep

MOST_DIMENSIONS = 2


class SweepOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `bindrill sweep`, as `bindrill.cli` describes them."""

    vary: tuple[str, ...]
    variant: str | None
    points: int
    jobs: int | None
    cluster: str | None
    measure: str
    seed: int | None
    duration: str | None
    rate: str | None
    out: Path


def sweep_scenario(name: str, options: SweepOptions) -> int:
    """Simulate the grid, write its folder, print its table; returns the exit code.

    Raises the exceptions of `bindrill.errors.user_problems`.
    """
    scenario = override(
        load_scenario(name), seed=options.seed, duration=options.duration, rate=options.rate
    )
    if options.variant is not None:
        scenario = variant(scenario, options.variant)
    dimensions, measure = _asked(options)
    cells = grid(scenario, dimensions)
    _check(measure, scenario)
    console = plain_console()
    started = datetime.now(UTC)
    tidy(options.out)
    folder = claim(new_folder(options.out, f"{scenario.name}-sweep-{started:%Y%m%d-%H%M%S}"))
    sizes = " × ".join(str(len(dimension.values)) for dimension in dimensions)
    console.print(f"{scenario.name}: {sizes} simulations, seed {scenario.seed}, into {folder}")
    with (
        simulators(len(cells), options.jobs, options.cluster) as found,
        counted(console, "simulations", len(cells)) as on_done,
    ):
        points, whole = sweep(
            cells, found.executor, scratch=found.scratch, ahead=found.ahead, on_done=on_done
        )
    if not points:
        console.print("Interrupted before the first simulation was finished.")
        return EXIT_INTERRUPTED
    swept = Swept(dimensions=dimensions, points=points, measure=measure)
    command = ["bindrill", *sys.argv[1:]]
    page = write_sweep(swept, scenario, folder, command=command, total=len(cells))
    for line in ("", measure.text, *swept.lines()):
        console.print(line)
    if not whole:
        console.print(f"Interrupted: {len(points)} of {len(cells)} simulations were finished.")
    for line in ("", f"Map: {folder / 'sweep.png'}", f"Report: {page}"):
        console.print(line)
    if not whole:
        return EXIT_INTERRUPTED
    warnings, nothing = _untested(swept, cells)
    for line in warnings:
        console.print(line)
    return EXIT_FAILED if nothing else EXIT_MET


def _untested(swept: Swept, cells: Sequence[Cell]) -> tuple[list[str], bool]:
    """What is to be said of a field without effect and of points in which nothing was tested, and
    whether that is all that was found."""
    lines = [
        f"{path} has no effect here: everything comes out the same at all its values"
        for path in swept.idle
    ]
    reasons = [
        reason
        for cell, point in zip(cells, swept.points, strict=True)
        if (reason := untested(cell.scenario, [point.summary]))
    ]
    if reasons:
        lines.append(f"{len(reasons)} of {len(cells)} simulations tested nothing: {reasons[0]}")
    return lines, bool(swept.idle) or len(reasons) == len(cells)


def _asked(options: SweepOptions) -> tuple[tuple[Dimension, ...], Measure]:
    if len(options.vary) > MOST_DIMENSIONS:
        raise InputProblem(
            f"--vary: {len(options.vary)} are more than a map shows; give one or two"
        )
    dimensions = tuple(
        parsed("--vary", text, lambda text: parse_dimension(text, options.points))
        for text in options.vary
    )
    if len({dimension.path for dimension in dimensions}) < len(dimensions):
        raise InputProblem(f"--vary: {dimensions[0].path} is varied twice; vary another field")
    return dimensions, parsed("--measure", options.measure, measure_named)


def _check(measure: Measure, scenario: Scenario) -> None:
    if measure.text in ("recovers", "time_to_recover") and not scenario.faults:
        raise InputProblem(
            f"--measure {measure.text}: {scenario.name} has no fault to recover from; write"
            " --measure success_rate"
        )
