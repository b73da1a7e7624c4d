"""Processes that die, stand still and come back, in virtual time."""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from simpy import Environment, Event

from scenarios.faults import Fault
from sim.clock import Task, after


class Outages:
    """When a process is down or stands still, by its faults; times in seconds since the run began.

    A process that is down takes no connection; one that stands still takes them and says nothing.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        self._down = [(f.start, f.end) for f in faults if f.kind in ("kill", "restart")]
        self._kills = sorted(f.start for f in faults if f.kind == "kill")
        self._still = sorted((f.start, f.end) for f in faults if f.kind == "pause")

    def down(self, now: float) -> bool:
        """Whether connections are refused."""
        return any(start <= now < end for start, end in self._down)

    def resumes(self, now: float) -> float:
        """When what is due at `now` happens: at once, or when the process goes on."""
        for start, end in self._still:
            if start <= now < end:
                now = end
        return now

    def cut(self, begin: float, end: float) -> float:
        """When the process is killed in (begin, end]; infinity if it is not."""
        return next((kill for kill in self._kills if begin < kill <= end), math.inf)


class Process:
    """The coroutines of one process. `end` undoes them, `begin` starts the next life; both are
    called when the faults say so."""

    def __init__(
        self,
        env: Environment,
        outages: Outages,
        *,
        end: Callable[[], None],
        begin: Callable[[], None],
    ) -> None:
        self.env = env
        self.outages = outages
        self._end = end
        self._begin = begin
        self._tasks: dict[Task, tuple[Event | None, Any]] = {}
        for fault in outages.faults:
            if fault.kind == "kill":
                after(env, fault.start, self._kill)
            if fault.kind in ("kill", "restart"):
                after(env, fault.end, self._start_again)

    def run(
        self, work: Coroutine[Event, Any, Any], done: Event | None = None, cut: Any = None
    ) -> None:
        """Run `work` in this process; `done` succeeds with what it returns, or with `cut` when the
        process dies first."""
        task = Task(self.env, work, self._ready, self._ended)
        self._tasks[task] = (done, cut)
        still = self._ready()
        if still > 0:
            after(self.env, still, task.begin)
        else:
            task.begin()

    def _ready(self) -> float:
        now = self.env.now
        return self.outages.resumes(now) - now

    def _ended(self, task: Task, result: Any) -> None:
        done, _ = self._tasks.pop(task)
        if done is not None and not done.triggered:
            done.succeed(result)

    def _kill(self) -> None:
        tasks, self._tasks = self._tasks, {}
        for task in tasks:
            task.close()
        for done, cut in tasks.values():
            if done is not None and not done.triggered:
                done.succeed(cut)
        self._end()

    def _start_again(self) -> None:
        self._kill()  # what a restart did not wait for
        self._begin()
