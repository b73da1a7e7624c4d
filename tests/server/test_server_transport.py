"""Faults and delays as a client's socket meets them."""

from __future__ import annotations

import http.client
import json
import socket
import threading

import pytest
from served import PERSON, Servers, eventually, is_closed


def test_an_outage_of_503_answers_so(shared: Servers) -> None:
    shared.fault("bank", kind="outage", mode="503", namespace="t-503")
    reply = shared.open_card("1", X_Bindrill_Namespace="t-503")
    assert reply.status == 503


def test_a_reset_is_a_tcp_reset_and_the_work_may_be_done(shared: Servers) -> None:
    space = {"X_Bindrill_Namespace": "t-reset"}
    shared.fault("bank", kind="outage", mode="reset", ops=["open"], namespace="t-reset")
    with pytest.raises(ConnectionResetError):
        shared.open_card("undone", **space)
    shared.fault(
        "bank", kind="outage", mode="reset", ops=["open"], processed=True, namespace="t-reset"
    )
    with pytest.raises(ConnectionResetError):
        shared.open_card("done", **space)

    def outcome(order_no: str) -> str:
        return shared.post("bank", "/v1/query", {"order_no": order_no}, **space).json["respCode"]

    assert (outcome("undone"), outcome("done")) == ("34", "00")


def test_a_hang_lasts_until_the_client_gives_up(shared: Servers) -> None:
    shared.fault("bank", kind="outage", mode="hang", namespace="t-hang")
    with pytest.raises(TimeoutError):
        shared.call(
            *("bank", "POST", "/v1/open", {"order_no": "1"}),
            timeout=0.3,
            X_Bindrill_Namespace="t-hang",
        )

    def released() -> bool:
        text = shared.get("bank", "/metrics").body.decode()
        return 'http_requests_in_flight{service="bank"} 1.0' in text

    eventually(released)


def test_a_hang_ends_when_the_server_stops(serve) -> None:
    servers = serve("bank")
    servers.fault("bank", kind="outage", mode="hang")
    outcome: list[type[BaseException]] = []

    def ask() -> None:
        try:
            servers.open_card("1")
        except OSError as error:
            outcome.append(type(error))

    waiting = threading.Thread(target=ask)
    waiting.start()
    in_flight = 'http_requests_in_flight{service="bank"} 2.0'
    eventually(lambda: in_flight in servers.get("bank", "/metrics").body.decode())
    servers.stop()
    waiting.join(20)
    assert outcome == [ConnectionResetError]


def test_refuse_closes_the_port_and_opens_the_same_one_again(serve) -> None:
    servers = serve("bank")
    address = servers.address("bank")
    kept_alive = http.client.HTTPConnection(*address, timeout=20)
    kept_alive.request("GET", "/health")
    kept_alive.getresponse().read()
    servers.fault("bank", kind="outage", mode="refuse", start="100ms", duration="3s")

    eventually(lambda: is_closed(address))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)
    with pytest.raises(ConnectionResetError):
        kept_alive.sock.recv(1)
    with socket.socket() as rival, pytest.raises(OSError, match="in use"):
        rival.bind(address)
    eventually(lambda: not is_closed(address))
    assert servers.get("bank", "/health").status == 200
    eventually(lambda: servers.open_card("afterwards").json["respCode"] == "00")


def test_a_refuse_that_was_taken_back_never_closes_the_port(serve) -> None:
    servers = serve("bank")
    servers.fault("bank", kind="outage", mode="refuse", start="50ms", duration="60s", name="shut")
    assert servers.call("bank", "DELETE", "/__admin/faults/shut").json == {"cleared": 1}
    servers.fault("bank", kind="latency", delay="1ms", start="100ms", duration="60s", name="later")

    def begun() -> bool:
        listed = servers.get("bank", "/__admin/faults").json["faults"]
        return bool(listed[0]["in_force"])

    eventually(begun)
    assert servers.get("bank", "/health").status == 200


def test_state_changes_before_the_delay(shared: Servers) -> None:
    space = {"X_Bindrill_Namespace": "t-delay"}
    slow = {"kind": "latency", "ops": ["open"], "delay": "60s", "namespace": "t-delay"}
    shared.fault("bank", **slow)
    host, port = shared.address("bank")
    body = json.dumps(
        {
            "order_no": "slow",
            "card_number": "6216269900000000011",
            "holder": PERSON["name"],
            "id_number": PERSON["id_number"],
            "phone": PERSON["phone"],
        }
    ).encode()
    with socket.create_connection((host, port), timeout=20) as waiting:
        waiting.sendall(
            b"POST /v1/open HTTP/1.1\r\nHost: localhost\r\nX-Bindrill-Namespace: t-delay\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )

        def seen() -> bool:
            query = shared.post("bank", "/v1/query", {"order_no": "slow"}, **space)
            return query.json.get("origRespCode") == "00"

        eventually(seen)
        waiting.setblocking(False)
        with pytest.raises(BlockingIOError):
            waiting.recv(1)


def test_magic_cards_break_the_connection_too(shared: Servers) -> None:
    space = {"X_Bindrill_Namespace": "t-magic"}
    with pytest.raises(ConnectionResetError):
        shared.open_card("lost", card="6216269900000000219", **space)
    query = shared.post("bank", "/v1/query", {"order_no": "lost"}, **space)
    assert query.json["origRespCode"] == "00"


def test_garbage_on_the_wire_is_refused_and_not_logged(serve) -> None:
    servers = serve("bank")
    with socket.create_connection(servers.address("bank"), timeout=20) as raw:
        raw.sendall(b"6216261000000000018 is no HTTP\r\n\r\n")
        assert raw.recv(4096).startswith(b"HTTP/1.0 400")
    assert "6216261000000000018" not in servers.log_file.read_text(encoding="utf-8")
