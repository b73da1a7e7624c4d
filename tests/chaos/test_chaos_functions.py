"""Actions and probes by themselves, against a real stack in a process of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loadtests.admin import AdminProblem, fetch
from loadtests.chaos.actions import clear_fault, clear_faults, set_fault
from loadtests.chaos.counters import Answered, count
from loadtests.chaos.probes import (
    bindings_active_per_second,
    fault_in_force,
    fault_strikes,
    gateway_error_share,
    service_ready,
)
from loadtests.process import Process
from loadtests.stack import Stack
from mocks.server.options import ServeOptions, write_options
from scenarios.schema import Scenario

NOWHERE = "http://127.0.0.1:1"
SCENARIO = Scenario.model_validate(
    {"name": "quiet", "duration": 10.0, "arrivals": {"kind": "constant", "rate": 1.0}}
)


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with Stack(SCENARIO, tmp_path_factory.mktemp("chaos")) as stack:
        stack.start()
        yield stack.urls


@pytest.fixture
def bank(urls: dict[str, str]) -> Iterator[str]:
    yield urls["bank"]
    clear_faults(urls["bank"])


def outage(name: str, **changes: object) -> dict[str, object]:
    return {"kind": "outage", "target": "bank", "mode": "503", "name": name, **changes}


def test_a_fault_is_set_seen_and_cleared(bank: str) -> None:
    assert set_fault(bank, outage("now")) == ["now"]
    assert sorted(set_fault(bank, outage("later", start="1h"))) == ["later", "now"]
    assert fault_in_force(bank, "now")
    assert not fault_in_force(bank, "later")
    assert clear_fault(bank, "now") == 1
    assert clear_fault(bank, "now") == 0
    assert not fault_in_force(bank, "now")
    assert clear_faults(bank) == 1


def test_a_wrong_fault_says_what_is_wrong(bank: str) -> None:
    with pytest.raises(AdminProblem, match="kind"):
        set_fault(bank, {"kind": "earthquake", "target": "bank"})
    with pytest.raises(AdminProblem, match="this is bank"):
        set_fault(bank, outage("elsewhere", target="sms"))


def test_the_admin_token_is_a_secret(tmp_path: Path) -> None:
    options = tmp_path / "options.json"
    write_options(ServeOptions(ports={"bank": 0}, admin_token="open-sesame-twice"), options)
    command = [sys.executable, "-m", "mocks.server", "--options", str(options)]
    server = Process("bank", command, tmp_path / "log", read_stdout=True)
    try:
        url = json.loads(server.first_line(60))["ready"]["bank"]
        with pytest.raises(AdminProblem, match="401"):
            set_fault(url, outage("now"))
        assert set_fault(url, outage("now"), secrets={"admin_token": "open-sesame-twice"}) == [
            "now"
        ]
        assert fault_in_force(url, "now", secrets={"admin_token": "open-sesame-twice"})
    finally:
        server.stop(grace=10)


def test_readiness_is_that_of_the_service(urls: dict[str, str]) -> None:
    assert service_ready(urls["lender"])
    assert not service_ready(NOWHERE)


def test_probes_that_cannot_look_say_so() -> None:
    with pytest.raises(AdminProblem, match="does not answer"):
        fault_in_force(NOWHERE, "any")
    with pytest.raises(AdminProblem, match="does not answer"):
        gateway_error_share(NOWHERE, seconds=0.1)
    with pytest.raises(ValueError, match="seconds"):
        gateway_error_share(NOWHERE, seconds=0)


def test_the_error_share_follows_the_fault(bank: str) -> None:
    def watched() -> float:
        with ThreadPoolExecutor(1) as pool:
            share = pool.submit(gateway_error_share, bank, 1.0)
            while not share.done():
                fetch(f"{bank}/v1/open", "POST", {})
            return share.result()

    assert watched() == 0.0  # refused for its fields, which is an answer
    set_fault(bank, outage("now"))
    assert watched() > 0.9
    assert fault_strikes(bank, "now") > 0


def test_a_share_of_no_calls_is_not_a_good_one(urls: dict[str, str]) -> None:
    with pytest.raises(AdminProblem, match="nobody called"):
        gateway_error_share(urls["payment"], seconds=0.05)


def test_probes_of_the_wrong_service_say_so(urls: dict[str, str]) -> None:
    with pytest.raises(AdminProblem, match="is not bank or sms or payment"):
        gateway_error_share(urls["lender"], seconds=0.05)
    with pytest.raises(AdminProblem, match="is not lender"):
        bindings_active_per_second(urls["bank"], seconds=0.05)


def test_strikes_of_a_fault_that_is_not_set(bank: str) -> None:
    set_fault(bank, outage("later", start="1h"))
    assert fault_strikes(bank, "later") == 0
    with pytest.raises(AdminProblem, match="called latr; set are: later"):
        fault_strikes(bank, "latr")


def test_nobody_binds_without_load(urls: dict[str, str]) -> None:
    assert bindings_active_per_second(urls["lender"], seconds=0.05) == 0.0


def test_counters_are_summed_over_codes() -> None:
    text = "\n".join(
        (
            "# TYPE http_requests counter",
            'http_requests_total{service="lender",op="confirm",status="200",code="OK"} 3.0',
            'http_requests_total{service="lender",op="confirm",status="503",code="A"} 1.0',
            'http_requests_total{service="lender",op="confirm",status="503",code="B"} 2.0',
            'http_requests_created{service="lender",op="confirm",status="200",code="OK"} 1.7e9',
            "# TYPE http_requests_in_flight gauge",
            'http_requests_in_flight{service="lender"} 9.0',
            "",
        )
    )
    assert count(text) == {Answered("confirm", 200): 3, Answered("confirm", 503): 3}
