"""Where simulations run: the `concurrent.futures.Executor` interface, of which a cluster's (such as
Dask's `Client.get_executor()`) is another implementation."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, TypeVar

from scenarios.child_environment import safe_path
from scenarios.interruption import leave_to_parent, undisturbed

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class InTurn(Executor):
    """Runs each piece of work in this process, at once."""

    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        """The finished future of `fn`."""
        future: Future[R] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def local_executor(jobs: int) -> Iterator[Executor]:
    """An executor of `jobs` processes of this machine; with one job, this process.

    On leaving, whatever is still under way is stopped.
    """
    if jobs == 1:
        yield InTurn()
        return
    with process_pool(jobs) as pool:
        yield pool


@contextmanager
def process_pool(jobs: int) -> Iterator[Executor]:
    """An executor of `jobs` child processes, which are stopped on leaving, whatever they do."""
    before = set(multiprocessing.active_children())
    with safe_path():
        # Spawned, since a forked copy of threads that hold locks can hang.
        pool = ProcessPoolExecutor(
            jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_begin_worker
        )
        try:
            yield pool
        finally:
            with undisturbed():
                pool.shutdown(wait=False, cancel_futures=True)
                workers = set(multiprocessing.active_children()) - before
                for worker in workers:
                    worker.kill()
                for worker in workers:
                    worker.join()


def _begin_worker() -> None:
    leave_to_parent()
    threading.Thread(target=_end_with_parent, name="leash", daemon=True).start()


def _end_with_parent() -> None:
    """A worker that waits for work does not see that nobody is left to give it any."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def in_order(
    executor: Executor, work: Callable[[T], R], tasks: Iterable[T], ahead: int
) -> Iterator[tuple[T, R]]:
    """Each task with its result, in the order of tasks; at most `ahead` are given out at a time.

    After Ctrl-C the results that are there come first, then KeyboardInterrupt is raised. Raises
    what `work` raises.
    """
    given: deque[tuple[T, Future[R]]] = deque()
    rest = iter(tasks)
    try:
        while True:
            while len(given) < ahead and (task := next(rest, _NONE)) is not _NONE:
                given.append((task, executor.submit(work, task)))
            if not given:
                return
            result = given[0][1].result()
            yield given.popleft()[0], result
    except KeyboardInterrupt:
        for task, future in given:
            if not future.cancel() and future.done() and future.exception() is None:
                yield task, future.result()
        raise


_NONE: Any = object()
