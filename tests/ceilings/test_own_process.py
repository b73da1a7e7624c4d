"""A process that raises its limits, counts what it was refused, and looks at itself."""

from __future__ import annotations

import errno
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import pytest

from scenarios.ceilings.exhaustion import note_exhaustion, taken_exhaustion
from scenarios.ceilings.own_process import Allowance, most_ports_to_one_address, open_files
from scenarios.ceilings.readings import Reading
from scenarios.ceilings.watch import BEATS_A_LOOK, Watch

LIMITED = """
import json, resource
{setup}
from scenarios.ceilings.soft_limits import hard_file_limit, raise_soft_limits
raise_soft_limits()
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
processes = resource.getrlimit(resource.RLIMIT_NPROC)
print(json.dumps([soft, hard, hard_file_limit(), processes]))
"""

FULL = """
import json, resource
from scenarios.ceilings.judge import met_in
from scenarios.ceilings.watch import Watch
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
looks = []
watch = Watch("gateways", "gateways", looks.append, met=lambda met: print(met.text))
watch.look()
taken = []
try:
    while True:
        taken.append(open("/dev/null"))
except OSError:
    pass
watch.look()
watch.look()
print(json.dumps([look.open_files for look in looks]))
"""


def run(script: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_soft_limits_are_raised_to_the_hard_ones() -> None:
    setup = (
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 700))\n"
        "_, most = resource.getrlimit(resource.RLIMIT_NPROC)\n"
        "few = 5000 if most == resource.RLIM_INFINITY else min(most, 5000)\n"
        "resource.setrlimit(resource.RLIMIT_NPROC, (few - 1, few))"
    )
    ((soft, hard, known, processes),) = map(json.loads, run(LIMITED.format(setup=setup)))
    assert (soft, hard, known) == (700, 700, 700)
    assert processes[0] == processes[1]


def test_a_limit_that_is_high_enough_is_left_alone() -> None:
    # As where the soft limit is beyond what would be asked for.
    setup = "import scenarios.ceilings.soft_limits as s\ns._FILES_TO_TRY = (50,)"
    before = run("import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])")
    ((soft, *_),) = map(json.loads, run(LIMITED.format(setup=setup)))
    assert soft == int(before[0])


@pytest.mark.skipif(sys.platform != "linux", reason="macOS lists /dev/fd otherwise")
def test_a_process_whose_files_are_used_up_still_sees_it_and_says_so_once() -> None:
    said, counts = run(FULL)
    assert said.startswith("open files of the gateways: 64 of 64 were open")
    first, *full = json.loads(counts)
    assert first < 20
    assert full == [64, 64]


def test_errors_of_exhaustion_are_counted_and_no_others() -> None:
    taken_exhaustion()
    key = aiohttp.client_reqrep.ConnectionKey("127.0.0.1", 1, False, None, None, None, None)
    no_port = aiohttp.ClientConnectorError(key, OSError(errno.EADDRNOTAVAIL, "no port"))
    wrapped = RuntimeError("wrapped")
    wrapped.__cause__ = OSError(errno.EMFILE, "full")
    rust = OSError("Too many open files (os error 24): part.parquet")
    for error in (no_port, wrapped, rust, MemoryError(), OSError(errno.ENFILE, "table full")):
        assert note_exhaustion(error)
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "nobody there")
    for other in (refused, ValueError("os error 24"), OSError("(os error 2)"), None):
        assert not note_exhaustion(other)
    assert taken_exhaustion() == {"EADDRNOTAVAIL": 1, "EMFILE": 2, "ENOMEM": 1, "ENFILE": 1}
    assert taken_exhaustion() == {}


def test_an_error_that_caused_itself_is_looked_at_once() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert not note_exhaustion(one)


def test_open_files_are_those_of_this_process() -> None:
    before = open_files()
    with socket.socket(), socket.socket():
        assert open_files() == before + 2
    assert open_files() == before


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="Linux tells")
def test_ports_are_counted_towards_the_address_that_has_most() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        clients = [socket.create_connection(server.getsockname()) for _ in range(40)]
        assert most_ports_to_one_address() >= 40
        for client in clients:
            client.close()


def test_the_allowance_is_within_the_machines() -> None:
    allowance = Allowance()
    assert allowance.cores > 0
    left = allowance.memory_left()
    assert left is not None
    assert 0 < left < 1


def test_a_loop_that_is_woken_late_reads_its_lag() -> None:
    looks: list[Reading] = []
    watch = Watch("gateways", "gateways", looks.append, lateness=lambda: 0.25)
    beats = watch.beats()
    for _ in range(BEATS_A_LOOK):
        time.sleep(next(beats) + 0.02)
    next(beats)
    (look,) = looks
    assert look.lag >= 0.02
    assert look.seconds >= BEATS_A_LOOK * 0.12
    assert look.lateness == 0.25
