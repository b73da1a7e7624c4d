"""The measuring HTTP client against a server of every kind of manners."""

from __future__ import annotations

import errno
import gzip
import os
import resource
import socket
import ssl
import subprocess
import threading
import zlib
from pathlib import Path

import brotli
import gevent
import pytest
from raw_servers import goes_on, hang, reply, reset, says

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


OK = b"HTTP/1.1 200 OK\r\n"


def sized(body: bytes, *headers: bytes) -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return OK + length + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + body


def test_an_answer_as_it_is_is_asked_for(raw_server):
    server = raw_server(reply(200, b"{}"))
    Client(server.url).exchange("POST", "/x", 30)
    assert b"\r\nAccept-Encoding: identity\r\n" in server.requests[0]


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"gzip", gzip.compress(b"{}", mtime=0)),
        (b"deflate", zlib.compress(b"{}")),
        (b"br", brotli.compress(b"{}")),
    ],
)
def test_a_coded_answer_is_decoded_all_the_same(raw_server, coding, body):
    server = raw_server(says(sized(body, b"Content-Encoding: " + coding)))
    assert Client(server.url).exchange("GET", "/x", 30) == (200, b"{}")


INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
USABLE = {
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\n{}", (200, b"{}")),
    "until it hangs up": (OK + b"Connection: close\r\n\r\n{}", (200, b"{}")),
    "after interim answers": (INTERIM + sized(b"{}"), (200, b"{}")),
    "no content": (b"HTTP/1.1 204 No\r\n\r\n", (204, b"")),
    "a redirect": (
        b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        (302, b""),
    ),
    "with a cookie": (sized(b"{}", b"Set-Cookie: a=b"), (200, b"{}")),
    "in chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", (200, b"{}")),
}


@pytest.mark.parametrize("kind", USABLE)
def test_answers_as_the_world_has_them(raw_server, kind):
    said, answer = USABLE[kind]
    ends = b"Content-Length" in said or b"chunked" in said or b" 204 " in said
    server = raw_server(says(said, hangs_up=not ends))
    client = Client(server.url)
    assert [client.exchange("GET", "/x", 30) for _ in range(2)] == [answer] * 2
    assert all(b"Cookie" not in request for request in server.requests)


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BAD = {
    "garbage": says(b"SSH-2.0-OpenSSH_9\r\n"),
    "no status": says(b"HTTP/1.1 abc OK\r\n\r\n"),
    "no header": says(OK + b"what is this\r\n\r\n"),
    "two lengths": says(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc"),
    "no length": says(OK + b"Content-Length: -2\r\n\r\nabc"),
    "no chunk": says(CHUNKED + b"zz\r\nab"),
    "another protocol": says(b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
    "a second answer": says(sized(b"{}") + sized(b"{}")),
    "not gzip": says(sized(b"{}", b"Content-Encoding: gzip")),
    "unknown coding": says(sized(b"{}", b"Content-Encoding: zstd")),
    "bomb": says(sized(gzip.compress(bytes(10**7)), b"Content-Encoding: gzip")),
    "endless body": goes_on(CHUNKED, b"8000\r\n" + bytes(0x8000) + b"\r\n"),
    "endless headers": goes_on(OK, b"X-A: " + b"y" * 1000 + b"\r\n"),
    "endless interim": goes_on(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_used_is_a_bad_answer(raw_server, kind):
    assert failure(Client(raw_server(BAD[kind]).url)) == "BAD_ANSWER"


@pytest.mark.parametrize(
    "answer", [b"", b"HTT", OK + b"Conte", OK + b"Content-Length: 9\r\n\r\n{", CHUNKED + b"5\r\nab"]
)
def test_what_is_cut_is_a_reset(raw_server, answer):
    assert failure(Client(raw_server(says(answer)).url)) == "RESET"


@pytest.mark.parametrize(
    ("first", "more"), [(OK + b"Content-Length: 99999\r\n\r\n", b"x"), (OK, b"X: y\r\n")]
)
def test_an_answer_that_drips_is_late_as_a_whole(raw_server, first, more):
    server = raw_server(goes_on(first, more, pause=0.01))
    assert failure(Client(server.url), timeout=0.3) == "TIMEOUT"


def test_a_connection_that_the_server_closed_between_requests_is_not_used(raw_server):
    def once(connection, _):
        connection.sendall(sized(b"{}"))
        connection.close()

    server = raw_server(once)
    client = Client(server.url)
    for nth in range(3):
        while len(client._pool._socket_queue) and client._pool._is_socket_alive(
            client._pool._socket_queue.peek()
        ):
            gevent.sleep(0.001)  # its goodbye is on the way
        assert client.exchange("GET", "/x", 30) == (200, b"{}"), nth


def test_connections_are_used_again_beyond_the_files_that_select_knows(raw_server):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1200:
        pytest.skip("this machine does not let a process have as many files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
    held = []
    try:
        while not held or held[-1] < 1030:
            held.append(os.open(os.devnull, os.O_RDONLY))
        server = raw_server(reply(200, b"{}"))
        client = Client(server.url)
        for _ in range(3):
            client.exchange("GET", "/x", 30)
        assert server.connections == 1
    finally:
        for file in held:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS])
def test_the_load_generators_own_limits_are_not_the_servers(monkeypatch, number):
    client = Client("http://127.0.0.1:1")

    def no_room():
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(client._pool, "get_socket", no_room)
    assert failure(client) == "TESTBED_LIMIT"


def test_a_certificate_that_nobody_vouches_for_is_unreachable(tmp_path: Path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost"),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            try:
                context.wrap_socket(listening.accept()[0], server_side=True)
            except OSError:
                return

        threading.Thread(target=greet, daemon=True).start()
        port = listening.getsockname()[1]
        assert failure(Client(f"https://127.0.0.1:{port}")) == "UNREACHABLE"


def test_a_server_without_tls_is_unreachable_by_it():
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=refuse, daemon=True).start()
        port = listening.getsockname()[1]
        assert failure(Client(f"https://127.0.0.1:{port}")) == "UNREACHABLE"
