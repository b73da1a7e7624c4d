"""Every kind of fault on real servers: with it a client sees this, without it not."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from raw_servers import RawServer, reply
from served import PERSON, Servers, eventually
from small_scenarios import small

import loadtests.admin
from loadtests.admin import AdminProblem, fetch
from loadtests.process_faults import ProcessFaults
from loadtests.stack import Stack
from scenarios.faults import FAULT_KINDS, parse_fault

WORLD = """
name: quick
duration: 10s
arrivals: {kind: constant, rate: 1/s}
world:
  bank: {latency: {open: 0s, query: 0s, verify: 60s}, decline: {}, concurrency: 4}
  sms: {latency: {send: 0s}, carrier: {delay: 0s, loss: 0%, duplicate: 0%}}
  payment: {latency: {charge: 0s}, decline: 0%, notifications: {speedup: 5000, delay: 0s}}
"""
PHONE = PERSON["phone"]
ELEMENTS = {"holder": PERSON["name"], "id_number": PERSON["id_number"], "phone": PHONE}
CARD = "6216261000000000018"


@pytest.fixture(scope="module")
def callbacks() -> Iterator[RawServer]:
    server = RawServer(reply(200, b"success"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, callbacks: RawServer) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("faults")
    options = {"callback_url": callbacks.url, "allow_customer_headers": True}
    with Servers(folder, world=WORLD, **options) as running:
        running.callbacks = callbacks  # type: ignore[attr-defined]
        yield running


class Client:
    """Asks the servers in one namespace."""

    def __init__(self, servers: Servers, namespace: str) -> None:
        self.servers = servers
        self.space = {"X_Bindrill_Namespace": namespace}
        self.struck = namespace.endswith(".with")

    def open(self, number: str = "o-1", *, op: str = "open", timeout: float = 20) -> Any:
        body = {"order_no": number, "card_number": CARD, **ELEMENTS}
        return self.servers.call("bank", "POST", f"/v1/{op}", body, timeout=timeout, **self.space)

    def post(self, service: str, path: str, body: Any, timeout: float = 20) -> Any:
        return self.servers.call(service, "POST", path, body, timeout=timeout, **self.space)

    def recorded(self, calls: int) -> list[float]:
        """The delays in seconds that the bank gave so many `verify` calls, which nobody awaits."""
        rows: list[list[Any]] = []
        position = self.servers.get("bank", "/__admin/calls").json["next"]
        for number in range(calls):
            with pytest.raises(TimeoutError):
                self.open(f"v-{number}", op="verify", timeout=0.1)
        rows = self.servers.get("bank", f"/__admin/calls?after={position}").json["calls"]
        return [row[6] for row in rows if row[2] == "verify"]


def respcode(client: Client) -> Any:
    return client.open().json["respCode"]


def comes(client: Client) -> bool:
    """Whether an answer comes; a minute late counts as none."""
    try:
        return bool(client.open(timeout=1.0 if client.struck else 20).status)
    except TimeoutError:
        return False


def parses(client: Client) -> bool:
    try:
        return isinstance(client.open().json, dict)
    except json.JSONDecodeError:
        return False


def is_whole(client: Client) -> bool:
    try:
        return bool(client.open().body)
    except http.client.IncompleteRead:
        return False


def ends(client: Client) -> bool:
    """Whether the answer, which is there, has an end."""
    connection = http.client.HTTPConnection(*client.servers.address("bank"), timeout=1)
    try:
        body = json.dumps({"order_no": "o-1"}).encode()
        named = {name.replace("_", "-"): value for name, value in client.space.items()}
        named["Content-Type"] = "application/json"
        connection.request("POST", "/v1/query", body, named)
        answer = connection.getresponse()
        assert b"respCode" in answer.read1()
        answer.read()
        return True
    except TimeoutError:
        return False
    finally:
        connection.close()


def names_our_order(client: Client) -> bool:
    return bool(client.open().json["order_no"] == "o-1")


def second_of_two(client: Client) -> int:
    client.open()
    return int(client.open("o-2").status)


def submission(client: Client) -> int:
    servers = client.servers
    key = client.space["X_Bindrill_Namespace"]
    return int(servers.submit(servers.register(**client.space), key=key, **client.space).status)


def message(client: Client) -> bool:
    """Whether a message that was sent is on the handset by the time its report is."""
    client.post("sms", "/v1/send", {"phone": PHONE, "text": "t", "out_id": "m"})
    inbox = client.post("sms", "/handset/inbox", {"phone": PHONE, "wait": 1})
    return bool(inbox.status == 200)


def delivery(client: Client) -> str:
    client.post("sms", "/v1/send", {"phone": PHONE, "text": "t", "out_id": "m"})

    def known() -> str:
        state = client.post("sms", "/v1/query", {"out_id": "m"}).json["status"]
        return "" if state == "ENROUTE" else str(state)

    return str(eventually(known))


def notified(client: Client, orders: int, wanted: int) -> list[str]:
    """Order numbers of the first `wanted` notifications of so many charges."""
    raw: RawServer = client.servers.callbacks  # type: ignore[attr-defined]
    space = client.space["X_Bindrill_Namespace"]
    for number in range(orders):
        order = {"order_no": f"{space}-{number}", "agreement_no": f"{number:018d}00"}
        client.post("payment", "/v1/charge", {**order, "amount_fen": 1})

    def ours() -> list[str]:
        bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in raw.requests]
        return [
            body["order_no"].rpartition("-")[2]
            for body in bodies
            if body.get("order_no", "").startswith(f"{space}-")
        ]

    return list(eventually(lambda: len(ours()) >= wanted and ours()))


def unacknowledged(client: Client) -> bool:
    """Whether the first attempt of a notification failed."""
    before = client.servers.log_file.read_text().count("callback_unacknowledged")
    notified(client, 1, 1)
    after = client.servers.log_file.read_text().count("callback_unacknowledged")
    return after > before


Probe = Callable[[Client], Any]
IN_SERVERS: dict[str, tuple[str, dict[str, Any], Probe, Any]] = {
    "bandwidth": ("bank", {"bytes_per_second": 1}, comes, False),
    "carrier-delay": ("sms", {"delay": "60s"}, message, False),
    "degraded-capacity": (
        "bank",
        {"factor": 0.25},
        lambda client: max(client.recorded(2)) > 100,
        True,
    ),
    "duplicate-callback": (
        "payment",
        {"copies": 2, "first": 1},
        lambda client: notified(client, 2, 4 if client.struck else 2).count("0"),
        3,
    ),
    "error": ("bank", {"code": "06"}, respcode, "06"),
    "latency": ("bank", {"delay": "60s"}, comes, False),
    "lost-callback": ("payment", {"first": 1}, unacknowledged, True),
    "malformed-body": ("bank", {}, parses, False),
    "network": ("lender", {"target": "sms", "between": ["lender", "sms"]}, submission, 503),
    "outage": ("bank", {"mode": "503"}, lambda client: client.open().status, 503),
    "partial-body": ("bank", {}, is_whole, False),
    "recorded-series": (
        "bank",
        {"error_share": ["100%"]},
        lambda client: client.open().status,
        503,
    ),
    "reordered-callback": (
        "payment",
        {"delay": "1s", "first": 1},
        lambda client: notified(client, 2, 2),
        ["1", "0"],
    ),
    "slow-close": ("bank", {"delay": "60s"}, ends, False),
    "slow-start": (
        "bank",
        {"factor": 10, "over": "10h"},
        lambda client: client.recorded(1)[0] > 300,
        True,
    ),
    "sms-loss": ("sms", {}, delivery, "UNDELIV"),
    "throttle": ("bank", {"rate": "1/h"}, second_of_two, 429),
    "wrong-answer": ("bank", {}, names_our_order, False),
}
OF_PROCESSES = ("kill", "pause", "restart")


def test_every_kind_is_tried() -> None:
    assert {*IN_SERVERS, *OF_PROCESSES, "clock-skew", "slow-disk"} == set(FAULT_KINDS)


@pytest.mark.parametrize("kind", IN_SERVERS)
def test_fault_acts(servers: Servers, kind: str) -> None:
    service, record, probe, expected = IN_SERVERS[kind]
    assert probe(Client(servers, f"{kind}.without")) != expected
    # What strikes the whole gateway cannot be kept to a namespace of the lender's.
    set_it = servers.fault(service, kind=kind, namespace=f"{kind}.with", **record)
    assert set_it.status == 200, set_it.body
    assert probe(Client(servers, f"{kind}.with")) == expected


def test_clock_skew_lets_codes_expire(tmp_path: Path) -> None:
    with Servers(tmp_path) as own:

        def confirmed() -> tuple[int, str]:
            binding = own.submit(own.register()).json["binding_id"]
            code = own.read_code()
            own.fault("lender", kind="clock-skew", ahead="400s")
            answer = own.post("lender", f"/v1/bindings/{binding}/confirm", {"otp": code})
            return answer.status, answer.error["code"]

        assert confirmed()[1] == "OTP_EXPIRED"
        refused = own.fault("lender", kind="clock-skew", ahead="400s", namespace="one")
        assert (refused.status, refused.error["code"]) == (400, "INVALID_FAULT")


def test_slow_disk_holds_up_what_is_stored(tmp_path: Path) -> None:
    with Servers(tmp_path) as own:
        assert own.register()
        own.fault("lender", kind="slow-disk", delay="3s")
        with pytest.raises(TimeoutError):
            own.call("lender", "POST", "/v1/applicants", PERSON, timeout=1.0)


# ── processes ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    fault = {"kind": "kill", "process": "gateways", "start": 1.0}
    with Stack(small("processes", faults=[fault]), tmp_path_factory.mktemp("stack")) as running:
        running.start()
        yield running


def serves(stack: Stack, service: str) -> bool:
    try:
        return fetch(stack.urls[service] + "/health")[0] == 200
    except AdminProblem:
        return False


@pytest.mark.live
@pytest.mark.parametrize(
    ("process", "service", "kind", "record", "away"),
    [
        ("lender", "lender", "kill", {"down": 2.0}, 1.5),
        ("gateways", "sms", "kill", {"down": 2.0}, 1.5),
        ("lender", "lender", "pause", {"duration": 2.0}, 1.5),
        ("lender", "lender", "restart", {}, None),
    ],
)
def test_process_faults(
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    process: str,
    service: str,
    kind: str,
    record: dict[str, Any],
    away: float | None,
) -> None:
    monkeypatch.setattr(loadtests.admin, "TIMEOUT", 1.0)
    begun: list[str] = []
    fault = parse_fault({"kind": kind, "process": process, "start": 1.0, **record})
    faults = ProcessFaults([fault], stack, begun.append)
    before, url = stack._processes[process].pid, stack.urls[service]
    assert faults.act(0.5, 0.2) == 0.2
    assert serves(stack, service)
    if away is not None:
        assert faults.act(1.0, 10.0) == 2.0
        assert not serves(stack, service)
        assert not stack.answers(process)
    faults.act(3.0, 10.0)
    monkeypatch.setattr(loadtests.admin, "TIMEOUT", 20.0)
    assert serves(stack, service)
    assert stack.answers(process)
    assert stack.urls[service] == url
    lives_on = kind == "pause"
    assert (stack._processes[process].pid == before) is lives_on
    assert begun == ([] if lives_on else [process])
    stack.check()
