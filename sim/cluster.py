"""Simulations on the cores of this machine, or on a Dask cluster.

Dask is an optional dependency, imported when a cluster is asked for. Work goes out by value and
summaries come back by value; only a task with a folder of this machine's (replication 0, whose
events are kept) is simulated here.
"""

from __future__ import annotations

import logging
import platform
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import ExitStack, contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakSet

import msgspec

from reports.claims import scratch as new_scratch
from scenarios.addresses import check_scheduler
from scenarios.interruption import leave_to_parent, undisturbed
from sim.executor import cores, local_executor, process_pool

R = TypeVar("R")

LOCAL = "local"
CONNECT_TIMEOUT = 10.0
"""Seconds to reach the scheduler, and for a first worker to be there."""
START_TIMEOUT = 120.0
"""Seconds for the workers of a local cluster to start."""
ALONE_TIMEOUT = 60.0
"""Seconds without any worker after which the cluster counts as lost."""
LOOK_INTERVAL = 2.0
ALLOWED_FAILURES = 10
"""Workers that may die over one task in a local cluster: one that dies of the task itself dies
again, one that was killed does not. Dask's default of 3 holds in clusters that others started."""
_MUST_AGREE = ("bindrill", "simpy", "numpy", "scipy", "polars", "msgspec", "pydantic")
"""Libraries whose versions can change a summary's bytes, or what can be read at all."""


class ClusterProblem(Exception):
    """A cluster cannot be reached, used or trusted; the message is one line that says what to
    do."""


class Simulators(msgspec.Struct, frozen=True):
    """Where simulations run: `executor`, how many to give out `ahead`, and the `scratch` folder
    for events that are not kept (None: a temporary one of the machine that simulates)."""

    executor: Executor
    ahead: int
    scratch: Path | None


@contextmanager
def simulators(
    tasks: int, jobs: int | None = None, cluster: str | None = None
) -> Iterator[Simulators]:
    """For `tasks` simulations, `jobs` at a time (as many as cores if None), on this machine; or on
    `cluster`: a Dask scheduler's address, or `local` for a cluster of `jobs` worker processes that
    lives as long as this. On leaving, what is under way is cancelled and no worker process of ours
    is left. Raises ClusterProblem, within a bounded time, and AddressProblem.
    """
    jobs = min(jobs or cores(), tasks)
    with ExitStack() as stack:
        scratch = stack.enter_context(new_scratch())
        if cluster is None:
            executor = stack.enter_context(local_executor(jobs))
            yield Simulators(executor, 1 if jobs == 1 else 2 * jobs, scratch)
        else:
            remote = stack.enter_context(_cluster(cluster, jobs, scratch))
            yield Simulators(remote, 2 * remote.slots(), None)


class _ClusterExecutor(Executor):
    """Gives work to Dask, except tasks with a folder of this machine's: those go `here`."""

    def __init__(self, client: Any, here: Executor) -> None:
        self._client = client
        # Simulations are not remembered by their arguments: those are big, and none comes twice.
        self._dask = client.get_executor(pure=False)
        self._here = here
        self._given: WeakSet[Future[Any]] = WeakSet()

    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        """As `Executor.submit`; `args` go by value."""
        if any(getattr(task, "folder", None) is not None for task in args):
            return self._here.submit(fn, *args, **kwargs)
        future: Future[R] = self._dask.submit(fn, *args, **kwargs)
        self._given.add(future)
        return future

    def slots(self) -> int:
        """How many simulations run at a time now."""
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def has_workers(self) -> bool:
        """Whether the scheduler says that it has workers; not if it says nothing."""
        try:
            return bool(self._client.nthreads())
        except (OSError, TimeoutError, RuntimeError, ValueError):  # as a closing client does
            return False

    def close(self) -> None:
        """Cancel what is under way."""
        self._dask.shutdown(wait=False)

    def give_up(self, problem: ClusterProblem) -> None:
        """Fail everything that is under way."""
        for future in list(self._given):
            if not future.done():
                future.set_exception(problem)


@contextmanager
def _cluster(address: str, jobs: int, scratch: Path) -> Iterator[_ClusterExecutor]:
    try:
        import distributed
        from dask import config
    except ImportError:
        raise ClusterProblem("--cluster needs Dask: pip install 'bindrill[cluster]'") from None
    dask: Any = distributed  # untyped in part
    with ExitStack() as stack:
        stack.enter_context(_quiet("distributed"))
        here = stack.enter_context(process_pool(1))
        if address == LOCAL:
            config.refresh(paths=[], env={})  # what is set for other clusters is not for this one
            settings = {
                "distributed.scheduler.allowed-failures": ALLOWED_FAILURES,
                "temporary-directory": str(scratch),
            }
            stack.enter_context(config.set(settings))
            local = dask.LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                silence_logs="CRITICAL",
                memory_limit=0,
                local_directory=str(scratch),
                env={"TMPDIR": str(scratch)},
                preload=[__name__],
            )
            stack.callback(_undisturbed, local.close, timeout=CONNECT_TIMEOUT)
            target: Any = local
        else:
            check_scheduler("--cluster", address)
            target = address
        try:
            client = dask.Client(target, timeout=CONNECT_TIMEOUT, set_as_default=False)
        except (OSError, TimeoutError, ValueError, TypeError) as error:
            raise ClusterProblem(
                f"--cluster {address}: no Dask scheduler answers ({_first_line(error)}); start one"
                " with `dask scheduler`, or write --cluster local"
            ) from None
        stack.callback(_undisturbed, client.close, timeout=CONNECT_TIMEOUT)
        _await_workers(client, address, jobs if address == LOCAL else 1)
        _check_versions(client, address)
        executor = _ClusterExecutor(client, here)
        stop = threading.Event()
        stack.callback(stop.set)
        threading.Thread(target=_watch, args=(executor, address, stop), daemon=True).start()
        try:
            yield executor
        except dask.KilledWorker:
            raise ClusterProblem(
                f"--cluster {address}: one simulation ended every worker that tried it; give the"
                " workers more memory"
            ) from None
        except CancelledError:
            raise ClusterProblem(
                f"--cluster {address}: the scheduler was lost; start it again, and the run"
            ) from None
        finally:
            executor.close()


def _await_workers(client: Any, address: str, wanted: int) -> None:
    try:
        client.wait_for_workers(
            wanted, timeout=START_TIMEOUT if address == LOCAL else CONNECT_TIMEOUT
        )
    except TimeoutError:
        raise ClusterProblem(
            f"--cluster {address}: the scheduler has no workers; start some with `dask worker"
            f" {address} --nthreads 1`"
        ) from None


def installed() -> dict[str, str]:
    """What decides a summary's bytes on the machine where this runs: versions by name."""
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        **{name: metadata.version(name) for name in _MUST_AGREE},
    }


def _check_versions(client: Any, address: str) -> None:
    ours = installed()
    try:
        found: dict[str, dict[str, str]] = client.run(installed)
    except (ImportError, AttributeError) as error:
        raise ClusterProblem(
            f"--cluster {address}: a worker cannot load Bindrill ({_first_line(error)}); install"
            f" bindrill {ours['bindrill']} on every worker"
        ) from None
    for worker, theirs in found.items():
        for name, version in ours.items():
            if theirs.get(name) != version:
                raise ClusterProblem(
                    f"--cluster {address}: worker {worker} has {name} {theirs.get(name)}, and this"
                    f" machine {version}; install the same"
                )


def _watch(executor: _ClusterExecutor, address: str, stop: threading.Event) -> None:
    """Fail what is under way once no worker has been there for ALONE_TIMEOUT."""
    alone = 0.0
    while not stop.wait(LOOK_INTERVAL):
        alone = 0.0 if executor.has_workers() else alone + LOOK_INTERVAL
        if alone >= ALONE_TIMEOUT:
            text = f"--cluster {address}: no worker for {ALONE_TIMEOUT:.0f} s; start some again"
            executor.give_up(ClusterProblem(text))
            return


def _undisturbed(close: Callable[..., object], **options: Any) -> None:
    with undisturbed():
        close(**options)


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    # Dask tells every lost connection with its traceback; what matters becomes a ClusterProblem.
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def dask_setup(_: Any) -> None:
    """Dask calls this in every worker process that it starts with this module as a preload."""
    leave_to_parent()
