"""A live run, watched: what its processes did in the window, and what the lender measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from loadtests.lender_timings import lender_timings
from loadtests.live_run import drive
from loadtests.overview import ProgressReader
from loadtests.stack import Stack
from loadtests.window_watch import Done, WindowWatch
from reports.capacity.usage import window_of
from reports.progress import Progress
from scenarios.schema import Scenario


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """`done`: in the window of the arrivals' time, None when everybody had ended before. `timings`:
    rows of the lender's own, none of a lender that is not ours. `origin`: when the run began, in
    epoch seconds."""

    done: Done | None
    timings: list[list[Any]]
    origin: float


def watched_run(
    scenario: Scenario,
    folder: Path,
    *,
    target: str | None = None,
    allow_remote: bool = False,
    database: str | None = None,
    processes: int = 1,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Watched | None:
    """Play `scenario` live below `folder`, with options as `loadtests.live_run.run_live` has them;
    None when interrupted. Raises StackProblem."""
    with Stack(
        scenario, folder, target=target, allow_remote=allow_remote, database=database
    ) as stack:
        try:
            stack.start()
            ours = stack.urls["lender"] if target is None else None
            watch = WindowWatch(window_of(scenario.duration), ours)
            followed = watch.following(on_progress)
            if drive(stack, scenario, folder, processes, followed) == "interrupted":
                return None
            timings = lender_timings(stack.admin_urls["lender"]) if ours else []
            origin = ProgressReader(stack.logs / "progress.jsonl").new()[-1].origin
        except KeyboardInterrupt:
            return None
    return Watched(done=watch.done, timings=timings, origin=origin)
