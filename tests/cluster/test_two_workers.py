"""One Locust master and two workers as on several machines: the example of docs/distributed.md."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from loadtests.gathered_run import gathered_run
from reports import events
from reports.drills.history import read_acknowledgements
from reports.recorder import Recorder, scan_events
from reports.run_folder import RunFolder, RunProblem
from reports.summary_schema import read_summary
from scenarios.arrivals import arrival_times
from scenarios.ceilings.readings import Reading, ReadingsFile, read_readings, readings_path
from scenarios.loader import load_scenario
from scenarios.schema import Scenario

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "deploy" / "two-workers.sh"

QUICK = """\
name: quick
seed: 5
duration: 4s
drain: 30s
arrivals: {kind: poisson, rate: 6/s}
population:
  typos: {name: 0, id_number: 0, phone: 0, card_number: 0, otp: 0}
  returning: 0
journey: {pace: 0.01, status_poll: 100ms, otp_wait: 500s, patience: {p50: 3000s, p99: 3000s}}
world:
  bank:
    latency: {open: {p50: 10ms, p99: 20ms}, query: {p50: 10ms, p99: 20ms}}
    decline: {}
  sms:
    latency: {send: {p50: 10ms, p99: 20ms}}
    carrier: {delay: {p50: 10ms, p99: 20ms}, loss: 0, duplicate: 0}
    limits: {minute: 20, hour: 100, day: 100}
  payment:
    latency: {charge: {p50: 10ms, p99: 20ms}, refund: {p50: 10ms, p99: 20ms}}
    decline: 0
    notifications: {delay: {p50: 10ms, p99: 20ms}, speedup: 1000}
objectives: [success_rate >= 99%]
"""


def planned(scenario: Scenario) -> dict[int, float]:
    times = arrival_times(scenario.arrivals, scenario.seed, scenario.duration)
    return dict(enumerate(times))


def free_ports(names: tuple[str, ...]) -> dict[str, str]:
    probes = {name: socket.socket() for name in names}
    for probe in probes.values():
        probe.bind(("127.0.0.1", 0))
    found = {name: str(probe.getsockname()[1]) for name, probe in probes.items()}
    for probe in probes.values():
        probe.close()
    return found


@pytest.mark.live
def test_two_workers_play_the_customers_of_one_and_the_master_has_all_events(tmp_path):
    file = tmp_path / "quick.yaml"
    file.write_text(QUICK)
    ports = free_ports(("LENDER_PORT", "BANK_PORT", "SMS_PORT", "PAYMENT_PORT", "MASTER_PORT"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        [SCRIPT, str(file), str(tmp_path / "out")],
        env={**os.environ, **ports, "PATH": path, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as script:
        try:
            said, _ = script.communicate(timeout=120)
        finally:
            try:
                os.killpg(script.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    assert script.returncode == 0, said
    assert "met     success_rate >= 99%: 100 %" in said
    plan = planned(load_scenario(str(file)))
    (run,) = (tmp_path / "out" / "runs").iterdir()
    seen = scan_events(run / "live").collect()
    arrivals = seen.filter(pl.col("kind") == "arrival")
    assert dict(arrivals.select("customer", "intended").rows()) == pytest.approx(plan)
    assert len(arrivals) == len(plan)
    ends = seen.filter(pl.col("kind") == "end")
    assert sorted(ends["customer"]) == sorted(plan)
    assert set(ends["state"]) == {"ACTIVE"}
    names = [part.name for part in (tmp_path / "out" / "events").iterdir()]
    assert all(name.startswith("part-gathered-") for name in names), names
    told = read_acknowledgements(run / "live")
    bound = {each.customer for each in told if each.state == "ACTIVE"}
    assert bound == plan.keys()
    assert len(told) == len(seen.filter(pl.col("kind") == "request"))
    readings = read_readings(run / "live")
    assert {each.process for each in readings} == {
        "load generator 0", "load generator 1", "Locust master"
    }  # fmt: skip
    summary = read_summary(RunFolder.open(run).clock_folder("live"))
    assert (summary.customers.planned, summary.customers.ended) == (len(plan), len(plan))


# ── gathering ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def quick(tmp_path: Path) -> Scenario:
    file = tmp_path / "quick.yaml"
    file.write_text(QUICK)
    return load_scenario(str(file))


def recorded(folder: Path, place: int, customers: dict[int, float]) -> Path:
    with Recorder(folder, worker=str(place)) as recorder:
        for number, at in customers.items():
            recorder.add(events.arrival(number, at, at))
            recorder.add(events.end(number, at, at + 1, "ACTIVE", "ok"))
    return folder


def test_the_folders_of_two_workers_merge_into_one_run(quick, tmp_path):
    plan = planned(quick)
    shares = [{n: at for n, at in plan.items() if n % 2 == place} for place in (0, 1)]
    # Both call themselves worker 0, as two machines that were told nothing of each other would.
    folders = [recorded(tmp_path / f"worker{p}", 0, share) for p, share in enumerate(shares)]
    run = gathered_run(quick, folders, tmp_path / "runs")
    whole = gathered_run(quick, [recorded(tmp_path / "one", 0, plan)], tmp_path / "runs")
    merged, one = (read_summary(each.clock_folder("live")) for each in (run, whole))
    assert merged == one
    assert merged.customers.planned == merged.customers.ended == len(plan)


def test_one_load_generator_at_its_limit_is_enough(quick, tmp_path):
    plan = planned(quick)
    folders = []
    for place in (0, 1):
        share = {n: at for n, at in plan.items() if n % 2 == place}
        folders.append(recorded(tmp_path / f"worker{place}", 0, share))
        file = ReadingsFile(readings_path(folders[-1], "load generator"))
        file.add(
            Reading(
                process="load generator",
                role="load generator",
                host=f"machine{place}",
                at=1.0,
                seconds=1.0,
                open_files=250 if place else 20,
                file_limit=256,
                origin=0.0,
            )
        )
        file.close()
    live = gathered_run(quick, folders, tmp_path / "runs").record.clocks["live"]
    assert live.verdict == "limited"
    assert [met.detail for met in live.limits] == ["250 of 256 were open"]


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (lambda plan: {}, "holds no arrivals"),
        (lambda plan: {n: at + 0.5 for n, at in plan.items()}, "not the customers of quick"),
        (lambda plan: {**plan, len(plan): 4.0}, "not the customers of quick"),
    ],
)
def test_events_of_something_else_are_refused(quick, tmp_path, share, words):
    folder = recorded(tmp_path / "worker", 0, share(planned(quick)))
    with pytest.raises(RunProblem, match=words):
        gathered_run(quick, [folder], tmp_path / "runs")


def test_a_customer_who_came_twice_is_refused(quick, tmp_path):
    folders = [recorded(tmp_path / str(n), 0, planned(quick)) for n in (0, 1)]
    with pytest.raises(RunProblem, match="came twice"):
        gathered_run(quick, folders, tmp_path / "runs")
