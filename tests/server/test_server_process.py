"""The process that a stack starts: `python -m mocks.server`."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from served import Servers, is_closed

from mocks.server.options import ServeOptions, read_options, write_options
from mocks.server.problems import PortBusy, StartProblem

EVERYTHING = dict.fromkeys(("bank", "sms", "payment", "lender"), 0)


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    return {
        "ports": EVERYTHING,
        "database": f"sqlite:///{tmp_path / 'lender.db'}",
        "key_ring": str(tmp_path / "keys.json"),
    }


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def command(tmp_path: Path, options: dict[str, Any]) -> list[str]:
    file = tmp_path / "options.json"
    file.write_text(json.dumps(options), encoding="utf-8")
    return [sys.executable, "-m", "mocks.server", "--options", str(file)]


def refused(tmp_path: Path, options: dict[str, Any]) -> str:
    """The one line on stderr of a process that does not start."""
    done = subprocess.run(
        command(tmp_path, options), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    lines = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_says_when_it_is_ready_and_leaves_nothing_behind(
    tmp_path: Path, options: dict[str, Any], number: signal.Signals
) -> None:
    process = subprocess.Popen(
        command(tmp_path, options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        urls = json.loads(process.stdout.readline())["ready"]
        assert set(urls) == set(EVERYTHING)
        for url in urls.values():
            with urlopen(f"{url}/ready", timeout=20) as answer:  # noqa: S310  # our own server
                assert answer.status == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, err
    assert out == ""
    assert [json.loads(line)["event"] for line in err.splitlines()] == ["started", "stopped"]
    for url in urls.values():
        assert is_closed(("127.0.0.1", urlsplit(url).port or 0))
    keys = tmp_path / "keys.json"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600


def test_a_busy_port_is_one_clear_line(tmp_path: Path, options: dict[str, Any], taken: int) -> None:
    line = refused(tmp_path, {**options, "ports": {**EVERYTHING, "bank": taken}})
    assert line == f"port {taken} is taken; give --bank-port another or 0 for any free one"


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"ports": {"bunk": 0}}, "bunk is no service"),
        ({"ports": {}}, "nothing to serve"),
        ({"ports": {"lender": 0}}, "the lender needs bank"),
        ({"ports": {"bank": 70_000}}, "70000 is no port"),
        ({"scenario": "no-such-scenario"}, "no such scenario"),
        ({"admin_token": "fifteen-letters"}, "the admin token has 15 characters"),
        ({"admin_token": ""}, "the admin token has 0 characters"),
        ({"signing_key": "k" * 15}, "BINDRILL_SIGNING_KEY has 15 characters"),
        ({"allow_hosts": ["http://bank"]}, "'http://bank' is no host"),
        ({"admin_port": 70_000}, "70000 is no port"),
        ({"journal": -1}, "write 0 to keep none"),
        ({"database": "mysql://x/y"}, "mysql is not supported"),
        ({"host": "0.0.0.0"}, "BINDRILL_SIGNING_KEY"),  # noqa: S104
        (
            {"host": "192.0.2.1", "signing_key": "sixteen-or-more!"},
            "cannot listen on 192.0.2.1",
        ),
        ({"log_file": "/no/such/folder/log"}, "log file"),
        ({"prots": {}}, "prots"),
    ],
)
def test_every_start_problem_is_one_clear_line(
    tmp_path: Path, options: dict[str, Any], change: dict[str, Any], wanted: str
) -> None:
    assert wanted in refused(tmp_path, {**options, **change})


def test_options_survive_their_file(tmp_path: Path) -> None:
    file = tmp_path / "options.json"
    options = ServeOptions(
        ports={"bank": 1}, log_file=tmp_path / "log", signing_key="sixteen-or-more!"
    )
    write_options(options, file)
    assert read_options(file) == options
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(StartProblem, match="No such file"):
        read_options(tmp_path / "none.json")


def test_a_stack_that_cannot_start_frees_the_ports_it_had(tmp_path: Path, taken: int) -> None:
    servers = Servers(tmp_path, ports={"bank": 0, "sms": taken})
    with pytest.raises(PortBusy):
        servers.start()
    assert servers.stack.urls.keys() == {"bank"}
    assert is_closed(("127.0.0.1", urlsplit(servers.stack.urls["bank"]).port or 0))


def test_the_usual_admin_port_may_be_another_one(
    tmp_path: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PortBusy, match="--admin-port"):
        Servers(tmp_path, ports={"bank": 0}, admin_port=taken).start()
    monkeypatch.setattr("mocks.server.serve.ADMIN_PORT", taken)
    with Servers(tmp_path, ports={"bank": 0}, admin_port=taken) as servers:
        assert urlsplit(servers.stack.admin_url).port not in (0, taken)
        admin = servers.stack.admin_url
    assert is_closed(("127.0.0.1", urlsplit(admin).port or 0))
