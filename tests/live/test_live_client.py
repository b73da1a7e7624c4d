"""The measuring HTTP client against a server of every kind of manners."""

from __future__ import annotations

import socket

import gevent
import pytest
from raw_servers import hang, reply, reset

from loadtests.client import Client, NoAnswer


def failure(client: Client, method: str = "POST", timeout: float = 30.0) -> str:
    with pytest.raises(NoAnswer) as caught:
        client.exchange(method, "/x", timeout)
    return caught.value.code


def test_answer_is_status_and_body(raw_server):
    server = raw_server(reply(402, b'{"a": 1}'))
    client = Client(server.url + "/prefix")
    assert client.exchange("POST", "/x", 30, b"hello", {"A": "b"}) == (402, b'{"a": 1}')
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /prefix/x HTTP/1.1\r\n")
    assert b"\r\nA: b" in head
    assert body == b"hello"


def test_connection_is_used_again(raw_server):
    server = raw_server(reply(200, b"{}"))
    client = Client(server.url)
    for _ in range(5):
        client.exchange("GET", "/x", 30)
    assert (len(server.requests), server.connections) == (5, 1)


def test_requests_in_flight_do_not_wait_for_each_other(raw_server):
    server = raw_server(hang)
    client = Client(server.url)
    waiting = [gevent.spawn(client.exchange, "POST", "/x", 60) for _ in range(50)]
    while len(server.requests) < 50:
        gevent.sleep(0.01)
    gevent.killall(waiting)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_reset_is_seen_once_and_never_repeated(raw_server, method):
    server = raw_server(reset)
    assert failure(Client(server.url), method) == "RESET"
    assert len(server.requests) == 1


def test_silence_is_a_timeout_and_leaves_no_bad_connection(raw_server):
    server = raw_server(hang)
    client = Client(server.url)
    assert failure(client, timeout=0.05) == "TIMEOUT"
    assert failure(client, timeout=0.05) == "TIMEOUT"
    assert server.connections == 2


def test_closed_port_is_unreachable():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert failure(Client(f"http://127.0.0.1:{bound.getsockname()[1]}")) == "UNREACHABLE"


def test_half_an_answer_is_a_reset(raw_server):
    def half(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        connection.shutdown(socket.SHUT_WR)

    assert failure(Client(raw_server(half).url)) == "RESET"


def test_what_is_no_url_is_refused():
    with pytest.raises(ValueError, match="write http://localhost:8080"):
        Client("localhost:8080")
