"""A grid of simulations: one scenario with one or two of its fields varied."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from itertools import product
from pathlib import Path

import msgspec

from reports.swept import Point
from scenarios.schema import Scenario
from scenarios.variants import changed
from scenarios.varied import Dimension
from sim.executor import in_order
from sim.replications import Task, scratch_folder, simulate


class Cell(msgspec.Struct, frozen=True):
    """A point of the grid before it is simulated: positions of its values, and its scenario."""

    at: tuple[int, ...]
    scenario: Scenario


def grid(scenario: Scenario, dimensions: Sequence[Dimension]) -> list[Cell]:
    """Every combination of values, the last dimension changing fastest, all with one seed.

    Raises ScenarioProblems when a path leads nowhere, or a value does not fit.
    """
    positions = product(*(range(len(dimension.values)) for dimension in dimensions))
    return [
        Cell(
            at,
            changed(
                scenario,
                {each.path: each.values[n] for each, n in zip(dimensions, at, strict=True)},
                lambda where: f"--vary {where[0] if where else ''}",
            ),
        )
        for at in positions
    ]


def sweep(
    cells: Sequence[Cell],
    executor: Executor,
    *,
    scratch: Path | None,
    ahead: int,
    on_done: Callable[[int], None] | None = None,
) -> tuple[tuple[Point, ...], bool]:
    """Simulate the cells; the points that were finished, and whether all were.

    `scratch`, `ahead` and `on_done` are as in `sim.replications.replicate`. Ctrl-C keeps what is
    finished.
    """
    points: list[Point] = []
    try:
        for task, summary in in_order(executor, simulate, _tasks(cells, scratch), ahead):
            points.append(Point(cells[task.part].at, summary))
            if on_done is not None:
                on_done(len(points))
    except KeyboardInterrupt:
        return tuple(points), False
    return tuple(points), True


def _tasks(cells: Sequence[Cell], scratch: Path | None) -> Iterator[Task]:
    for position, cell in enumerate(cells):
        folder = scratch_folder(scratch, position, 0)
        yield Task(
            part=position, number=0, scenario=cell.scenario, folder=folder, keep=False, twin=False
        )
