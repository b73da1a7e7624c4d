"""Child processes that cannot be left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from loadtests.process import Process, StackProblem
from loadtests.stack import check_target
from scenarios.addresses import AddressProblem

NESTED = (
    "import subprocess, sys, time;"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print(child.pid, flush=True); time.sleep(600)"
)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_failing_start_quotes_the_logs_last_line(tmp_path):
    log = tmp_path / "x.log"
    command = [sys.executable, "-c", "raise SystemExit('port 1 is taken')"]
    process = Process("lender", command, log, read_stdout=True)
    with pytest.raises(StackProblem, match="lender did not start: port 1 is taken") as caught:
        process.first_line(30)
    assert str(log) in str(caught.value)
    process.kill()


def test_silent_start_has_a_limit(tmp_path):
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    process = Process("lender", command, tmp_path / "x.log", read_stdout=True)
    with pytest.raises(StackProblem, match="not ready"):
        process.first_line(0.2)
    process.kill()
    assert gone(process.pid)


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_children_of_children_end_too(tmp_path, end):
    process = Process("x", [sys.executable, "-c", NESTED], tmp_path / "x.log", read_stdout=True)
    grandchild = int(process.first_line(30))
    if end == "kill":
        process.kill()
    else:
        process.stop(grace=20)
    wait_until(lambda: gone(process.pid) and gone(grandchild))


def test_stop_does_not_wait_for_ever(tmp_path):
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('ready', flush=True); time.sleep(600)"
    )
    process = Process("x", [sys.executable, "-c", stubborn], tmp_path / "x.log", read_stdout=True)
    process.first_line(30)
    process.stop(grace=0.1)
    assert process.exit_code == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
def test_child_dies_with_a_parent_that_is_killed(tmp_path):
    parent_code = (
        "import sys, time; from pathlib import Path; from loadtests.process import Process;"
        "child = Process('x', [sys.executable, '-c', 'import time; time.sleep(600)'],"
        f" Path({str(tmp_path / 'x.log')!r})); print(child.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", parent_code], stdout=subprocess.PIPE)
    child = int(parent.stdout.readline())
    wait_until(lambda: "time.sleep" in " ".join(psutil.Process(child).cmdline()[:3]))
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: gone(child))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000", "http://localhost:1", "https://[::1]:9"])
def test_target_on_this_machine_is_welcome(url):
    check_target(url, allow_remote=False)


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1:9000", "https://lender.example", "http://0.0.0.0"]
)
def test_target_elsewhere_needs_to_be_allowed(url):
    with pytest.raises(StackProblem, match="--allow-remote"):
        check_target(url, allow_remote=False)
    check_target(url, allow_remote=True)


@pytest.mark.parametrize("url", ["127.0.0.1:9000", "ftp://127.0.0.1", "lender"])
def test_target_must_be_a_url(url):
    with pytest.raises(AddressProblem, match="; write http://"):
        check_target(url, allow_remote=True)


def test_log_of_a_process_is_kept(tmp_path):
    log: Path = tmp_path / "x.log"
    process = Process("x", [sys.executable, "-c", "print('hello')"], log)
    wait_until(lambda: process.exit_code is not None)
    process.stop(1)
    assert log.read_text() == "hello\n"
