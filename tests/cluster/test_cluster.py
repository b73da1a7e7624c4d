"""Replications and sweeps on a Dask cluster of real worker processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest
from cluster_work import Work, dies_once, marked, marks_of, pid_for, waits_for
from distributed import LocalCluster

from scenarios.loader import load_scenario
from scenarios.schema import Scenario
from scenarios.varied import parse_dimension
from sim import cluster
from sim.cluster import ClusterProblem, simulators
from sim.executor import InTurn
from sim.replications import Part, replicate
from sim.sweep import grid, sweep

TINY = """\
name: tiny
duration: 6s
drain: 4s
arrivals: {kind: poisson, rate: 4/s}
journey: {pace: 0.02}
faults:
- {kind: outage, target: bank, start: 2s, duration: 1s}
objectives: [success_rate >= 1%]
"""

VARY = ("sweep", "--vary", "fault.bank.duration=1s,2s", "--measure", "success_rate")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


@pytest.fixture
def tiny(file: Path) -> Scenario:
    return load_scenario(str(file))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster of two workers that somebody else started."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs="CRITICAL"
    ) as started:
        yield started.scheduler_address


def children() -> set[int]:
    """Process ids of what was started; Python's own tracker stays as long as this process."""
    return {
        child.pid
        for child in psutil.Process().children(recursive=True)
        if "multiprocessing.resource_tracker" not in " ".join(child.cmdline())
    }


def swept(scenario: Scenario, cluster_name: str | None, kill: bool = False) -> list[bytes]:
    cells = grid(scenario, [parse_dimension("arrivals.rate=2/s,3/s,4/s,5/s,6/s,7/s", 2)])
    with simulators(len(cells), 2, cluster_name) as found:

        def on_done(done: int) -> None:
            if kill and done == 1:
                os.kill(found.executor.submit(os.getpid).result(), signal.SIGKILL)

        points, whole = sweep(
            cells, found.executor, scratch=found.scratch, ahead=found.ahead, on_done=on_done
        )
    assert whole
    return [msgspec.json.encode(point.summary) for point in points]


def test_a_sweep_has_the_same_bytes_by_processes_and_by_dask_also_when_a_worker_is_killed(
    tiny, address
):
    by_processes = swept(tiny, None)
    assert len(set(by_processes)) == 6
    assert swept(tiny, address) == by_processes
    before = children()
    assert swept(tiny, "local", kill=True) == by_processes
    assert children() <= before


def test_a_killed_worker_costs_its_own_task_alone(address, tmp_path):
    with simulators(8, cluster=address) as found:
        submit = found.executor.submit
        assert submit(marked, "before", tmp_path).result() == "before"
        given = [submit(dies_once, "killed", tmp_path)]
        given += [submit(marked, f"other{n}", tmp_path) for n in range(6)]
        assert [future.result() for future in given] == ["killed", *(f"other{n}" for n in range(6))]
    assert marks_of("killed", tmp_path) == 2
    assert marks_of("before", tmp_path) == 1


def test_replications_come_back_by_value_and_the_kept_events_are_here(tiny, address, tmp_path):
    with simulators(3, cluster=address) as found:
        assert found.scratch is None  # the workers need not know any folder of this machine's
        (there,) = replicate(
            [Part(tiny, tmp_path / "there" / "sim")],
            3,
            found.executor,
            scratch=found.scratch,
            ahead=found.ahead,
            twin=True,
        )
    (here,) = replicate(
        [Part(tiny, tmp_path / "here" / "sim")],
        3,
        InTurn(),
        scratch=tmp_path / "scratch",
        ahead=1,
        twin=True,
    )
    assert msgspec.json.encode(there) == msgspec.json.encode(here)
    kept = [sorted(p.name for p in (tmp_path / place).rglob("*")) for place in ("there", "here")]
    assert kept[0] == kept[1]
    assert any(name.endswith(".parquet") for name in kept[0])


def test_work_with_a_folder_stays_on_this_machine(address):
    workers = children()
    with simulators(2, cluster=address) as found:
        here = found.executor.submit(pid_for, Work(Path())).result()
        there = found.executor.submit(pid_for, Work(None)).result()
    assert there in workers
    assert here not in workers | {os.getpid()}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("127.0.0.1:1", ": no Dask scheduler answers"),
        ("tcp://:::", " has no host name"),
        ("nonsense://127.0.0.1:8786", " has a scheme that no scheduler has"),
    ],
)
def test_an_address_without_a_scheduler_is_one_line(bindrill, file, monkeypatch, name, words):
    monkeypatch.setattr(cluster, "CONNECT_TIMEOUT", 0.5)
    before = children()
    outcome = bindrill(*VARY, file, "--cluster", name, "--out", file.parent / "runs")
    (line,) = outcome.err.splitlines()
    assert outcome.code == 2
    assert line.startswith(f"bindrill: --cluster {name}{words}")
    assert children() <= before


def test_a_scheduler_without_workers_is_one_line(bindrill, file, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_TIMEOUT", 0.5)
    with LocalCluster(
        n_workers=0, dashboard_address="127.0.0.1:0", silence_logs="CRITICAL"
    ) as empty:
        name = empty.scheduler_address
        outcome = bindrill(*VARY, file, "--cluster", name, "--out", file.parent / "runs")
    assert outcome.code == 2
    assert f"--cluster {name}: the scheduler has no workers" in outcome.err


def test_a_worker_with_other_versions_is_refused(address, monkeypatch):
    me, ours = os.getpid(), cluster.installed()

    def installed() -> dict[str, str]:
        return ours if os.getpid() == me else {**ours, "numpy": "1.0"}

    monkeypatch.setattr(cluster, "installed", installed)
    with pytest.raises(ClusterProblem, match=r"has numpy 1\.0, and this machine"):
        simulators(2, cluster=address).__enter__()


def test_without_dask_it_says_what_to_install(bindrill, file, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    outcome = bindrill(*VARY, file, "--cluster", "local", "--out", file.parent / "runs")
    assert outcome.code == 2
    assert outcome.err == "bindrill: --cluster needs Dask: pip install 'bindrill[cluster]'\n"


def test_one_simulation_is_not_for_a_cluster(bindrill, file):
    outcome = bindrill("run", file, "--sim", "--cluster", "local", "--out", file.parent / "runs")
    assert outcome.code == 2
    assert "give --replications too" in outcome.err


@pytest.fixture
def one_worker() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=1, dashboard_address="127.0.0.1:0", silence_logs="CRITICAL"
    ) as started:
        yield started


def test_a_cluster_that_loses_all_its_workers_is_one_line(one_worker, monkeypatch, tmp_path):
    monkeypatch.setattr(cluster, "ALONE_TIMEOUT", 0.2)
    monkeypatch.setattr(cluster, "LOOK_INTERVAL", 0.05)

    def use() -> None:
        with simulators(2, cluster=one_worker.scheduler_address) as found:
            one_worker.scale(0)
            while len(one_worker.scheduler.workers):
                time.sleep(0.01)
            found.executor.submit(marked, "never", tmp_path).result()

    with pytest.raises(ClusterProblem, match="no worker for"):
        use()
    assert marks_of("never", tmp_path) == 0


def test_a_scheduler_that_goes_is_one_line(one_worker, tmp_path):
    def use() -> None:
        with simulators(2, cluster=one_worker.scheduler_address) as found:
            blocked = found.executor.submit(waits_for, tmp_path / "go")
            one_worker.close()
            blocked.result()

    with pytest.raises(ClusterProblem, match="the scheduler was lost"):
        use()


def test_ctrl_c_leaves_no_worker(file, tmp_path):
    command = [sys.executable, "-m", "bindrill", "sweep", str(file), "--cluster", "local"]
    command += ["--vary", "arrivals.rate=1/s..20/s:200", "--measure", "success_rate", "--jobs", "2"]
    with subprocess.Popen(
        [*command, "--out", str(tmp_path / "runs")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("simulations:"):
                os.killpg(process.pid, signal.SIGINT)
                break
        out, err = process.communicate()
    assert process.returncode == 130
    assert "Interrupted: " in out
    assert err == ""
    left = [each for each in psutil.process_iter() if _session(each.pid) == process.pid]
    _, alive = psutil.wait_procs(left, timeout=30)  # Python's resource tracker goes last
    assert not alive


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None
