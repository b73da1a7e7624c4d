"""`bindrill faults` on running servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from served import Servers, eventually, is_closed
from typer.testing import CliRunner

import bindrill.faults
from bindrill.cli import app
from bindrill.errors import EXIT_BAD_INPUT

SLOW = '{"kind": "latency", "target": "bank", "delay": "2s", "name": "slow"}'


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    with Servers(tmp_path) as running:
        ports = {name: urlsplit(url).port for name, url in running.urls.items()}
        monkeypatch.setattr(bindrill.faults, "PORTS", ports)
        admin = urlsplit(running.stack.admin_url).port
        monkeypatch.setattr(bindrill.faults, "ADMIN_PORT", admin)
        yield running


def said(*arguments: str) -> tuple[int, str]:
    outcome = CliRunner().invoke(app, ["faults", *arguments])
    return outcome.exit_code, outcome.output


def test_faults_are_set_listed_and_cleared(servers: Servers, tmp_path: Path) -> None:
    several = tmp_path / "faults.json"
    several.write_text(
        '[{"kind": "outage", "targets": ["sms", "payment"], "name": "both"},'
        ' {"kind": "network", "between": ["lender", "bank"]}]'
    )
    assert said("set", SLOW) == (0, "1 set\n")
    assert said("set", str(several)) == (0, "2 set\n")
    listed = {tuple(line.split()[:3]) for line in said("list")[1].splitlines()}
    assert listed == {
        ("lender", "network-lender-bank", "network"),
        ("bank", "slow", "latency"),
        ("sms", "both-sms", "outage"),
        ("payment", "both-payment", "outage"),
    }
    assert said("clear", "slow") == (0, "1 cleared\n")
    assert said("clear", "--target", "sms") == (0, "1 cleared\n")
    assert said("clear", "--url", servers.urls["payment"]) == (0, "1 cleared\n")
    assert said("clear") == (0, "1 cleared\n")
    assert said("list") == (0, "no faults are set\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("set", "{"), "not JSON"),
        (("set", "no-such-file.json"), "No such file"),
        (("set", "/dev/zero"), "is no file on a disk"),
        (("set", "/"), "is a folder"),
        (("set", "[" * 100_000), "not JSON"),
        (("set", SLOW.replace("2s", "20:00")), "write 20h for hours and minutes"),
        (("set", SLOW.replace("2s", "1" * 30_000)), "write 250ms, 30s"),
        (("set", SLOW.replace('"2s"', "1" * 5_000)), "not JSON"),
        (("set", SLOW.replace("slow", "\\ud800")), "latency.name: "),
        (("set", '{"kind": "latency", "target": "bank"}'), "delay"),
        (("set", '{"kind": "kill"}'), "no server applies it"),
        (("set", SLOW, "--target", "sms"), "none of these faults is for --target sms"),
        (("list", "--target", "moon"), "write one of"),
        (("list", "--url", "localhost"), "is not a URL"),
        (("clear", "nothing"), "no fault is called nothing"),
        (("list", "--url", "http://127.0.0.1:1"), "start `bindrill serve`"),
    ],
)
def test_mistakes_are_one_line(servers: Servers, arguments: tuple[str, ...], words: str) -> None:
    code, text = said(*arguments)
    assert code == EXIT_BAD_INPUT
    assert words in text
    assert len(text.splitlines()) == 1


def test_a_port_that_a_fault_closed_is_opened_again(servers: Servers) -> None:
    shut = '{"kind": "outage", "target": "lender", "mode": "refuse", "duration": "1000d"}'
    assert said("set", shut) == (0, "1 set\n")
    eventually(lambda: is_closed(servers.address("lender")))
    assert said("list") == (
        0,
        "lender   outage-lender            outage               in force, struck 1 time\n",
    )
    assert said("clear") == (0, "1 cleared\n")
    eventually(lambda: not is_closed(servers.address("lender")))


def test_an_empty_list_is_no_fault(bindrill):
    refused = bindrill("faults", "set", "[]")
    assert refused.code == 2
    assert (
        refused.err == "bindrill: there is no fault in it; write a record, or a list of records\n"
    )


def test_help_without_an_argument_says_nothing_more(bindrill):
    shown = bindrill("faults")
    assert "clear" in shown.out
    assert not shown.err.strip()
