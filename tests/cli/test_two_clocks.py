"""The whole way from the command line: both clocks, one report, and what interrupts it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from reports.join import join_clocks
from reports.run_folder import RunFolder
from scenarios.arrivals import arrival_times
from scenarios.population import Population

pytestmark = pytest.mark.live

SMALL = """\
name: small
duration: 8s
drain: 60s
seed: 5
arrivals: {kind: poisson, rate: 3/s}
journey: {pace: 0.01, otp_wait: 200s, status_poll: 200ms}
world:
  sms: {carrier: {delay: {p50: 50ms, p99: 200ms}}, limits: {minute: 9, hour: 90, day: 90}}
faults:
  - {kind: outage, target: bank, mode: "503", start: 3s, duration: 2s}
objectives: ["share(bank_unavailable) <= 100%"]
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """One small scenario in both clocks."""
    folder = tmp_path_factory.mktemp("two-clocks")
    file = folder / "small.yaml"
    file.write_text(SMALL)
    command = [sys.executable, "-m", "bindrill", "run", str(file), "--out", str(folder / "runs")]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert "wall time" not in done.stdout
    return RunFolder.open(Path(json.loads(done.stdout)["run"]))


def test_both_clocks_play_the_same_customers(run):
    agreement = join_clocks(run)
    assert run.clocks == ("sim", "live")
    assert agreement.share >= 0.8  # the outage is short, and its edges are sharp


def test_the_report_puts_prediction_beside_measurement(run):
    page = (run.path / "report.html").read_text()
    for heading in ("Prediction against measurement", "Customers in both clocks", "Objectives"):
        assert heading in page
    assert "outage-bank" in page


def test_no_customer_is_named_in_anything_that_a_run_leaves(run):
    population = Population(run.scenario.population, run.scenario.seed)
    times = arrival_times(run.scenario.arrivals, run.scenario.seed, run.scenario.duration)
    people = [population.customer(number) for number, _ in enumerate(times)]
    secrets = {text for p in people for text in (p.card_number, p.id_number, p.phone)}
    files = [path for path in run.path.rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        content = path.read_bytes()
        assert not [s for s in secrets if s.encode() in content], path


def test_ctrl_c_stops_everything_and_keeps_what_there_is(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text(SMALL.replace("duration: 8s", "duration: 60s"))
    command = [sys.executable, "-m", "bindrill", "run", str(file), "--live", "--out", str(tmp_path)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("wall time") and "arrivals 0 " not in line:
            break
    children = psutil.Process(process.pid).children(recursive=True)
    ports = {c.laddr.port for p in children for c in p.net_connections() if c.status == "LISTEN"}
    assert len(ports) >= 4
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert not psutil.wait_procs(children, timeout=20)[1]
    listening = {c.laddr.port for c in psutil.net_connections() if c.status == "LISTEN"}
    assert not ports & listening
    (folder,) = tmp_path.glob("small-*")
    run = RunFolder.open(folder)
    assert run.record.clocks["live"].verdict == "interrupted"
    assert (folder / "report.html").is_file()
    assert list((folder / "live" / "events").glob("part-*.parquet"))


def test_a_busy_port_is_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "bindrill", "serve", "--lender-port", str(port)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=60,
        )
    assert done.returncode == 2
    assert str(port) in done.stderr
    assert "--lender-port" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
