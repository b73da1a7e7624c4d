"""The relay: bytes arrive whole and in order, late when told so, and never after a cut."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from loadtests.process import StackProblem
from loadtests.relay import Address, Relay, TtlSwitch

FOREVER = 3600.0
LIMIT = 20.0


class Server:
    """Echoes with its name before the first byte; keeps all that each connection has sent."""

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.received: list[bytearray] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = Address(*self._listener.getsockname())
        self._lines: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            kept = bytearray()
            self.received.append(kept)
            self._lines.append(line)
            threading.Thread(target=self._serve, args=(line, kept), daemon=True).start()

    def _serve(self, line: socket.socket, kept: bytearray) -> None:
        try:
            line.sendall(self.name)
            while chunk := line.recv(65536):
                kept += chunk
                line.sendall(chunk)
            line.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(LIMIT)
        for line in self._lines:
            line.close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(b"A")
    yield server
    server.close()


@pytest.fixture
def other() -> Iterator[Server]:
    server = Server(b"B")
    yield server
    server.close()


@pytest.fixture
def relay(server: Server) -> Iterator[Relay]:
    with Relay(server.address) as relay:
        yield relay


def connect(relay: Relay) -> socket.socket:
    return socket.create_connection(relay.address, timeout=LIMIT)


def named(relay: Relay) -> tuple[socket.socket, bytes]:
    """A new connection, and the name of the server that it reaches."""
    line = connect(relay)
    return line, line.recv(1)


def exactly(line: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        chunk = line.recv(size - len(got))
        assert chunk, "the connection ended early"
        got += chunk
    return got


def wait_until(condition) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def busy_elsewhere(server: Server) -> None:
    """Give a relay that passes bytes on by mistake every chance to do so."""
    with Relay(server.address) as healthy:
        line, _ = named(healthy)
        for _ in range(50):
            line.sendall(b"ping")
            exactly(line, 4)
        line.close()


def test_bytes_pass_whole_in_both_directions_and_are_counted(server, relay):
    sent = random.Random(1).randbytes(3_000_000)
    line, name = named(relay)
    assert name == b"A"
    sender = threading.Thread(target=line.sendall, args=(sent,))
    sender.start()
    assert exactly(line, len(sent)) == sent
    sender.join()
    line.shutdown(socket.SHUT_WR)
    assert line.recv(1) == b"", "the server's end arrives after ours has arrived there"
    line.close()
    wait_until(lambda: relay.connections == 0)
    counts = relay.counts
    assert (counts.accepted, counts.refused) == (1, 0)
    assert (counts.bytes_upstream, counts.bytes_downstream) == (len(sent), len(sent) + 1)


def test_cut_resets_and_refuses_until_resumed_on_the_same_port(relay):
    line, _ = named(relay)
    relay.cut()
    with pytest.raises(ConnectionResetError):
        line.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connect(relay)
    relay.resume()
    assert named(relay)[1] == b"A"
    line.close()


def test_drop_resets_and_welcomes(relay):
    line, _ = named(relay)
    relay.drop()
    with pytest.raises(ConnectionResetError):
        line.recv(1)
    assert named(relay)[1] == b"A"
    line.close()


def test_hang_holds_everything_and_loses_nothing(server, relay):
    line, _ = named(relay)
    relay.hang()
    line.sendall(b"late")
    newcomer = connect(relay)
    busy_elsewhere(server)
    assert server.received[0] == b""
    assert relay.connections == 1, "the newcomer waits, too"
    relay.resume()
    assert exactly(line, 4) == b"late"
    assert newcomer.recv(1) == b"A"
    newcomer.close()
    line.close()


def test_hanging_line_can_be_cut(relay):
    line, _ = named(relay)
    relay.hang()
    line.sendall(b"never")
    relay.cut()
    with pytest.raises(ConnectionResetError):
        line.recv(1)
    line.close()


def test_delayed_bytes_are_under_way_and_a_cut_loses_them(server, relay):
    line, _ = named(relay)
    line.sendall(b"early")
    exactly(line, 5)
    relay.delay(FOREVER, "upstream")
    line.sendall(b"lost")
    busy_elsewhere(server)
    relay.cut()
    relay.delay(0)
    relay.resume()
    fresh, _ = named(relay)
    fresh.sendall(b"new")
    exactly(fresh, 3)
    assert server.received[0] == b"early"
    line.close()
    fresh.close()


def test_shorter_delay_lets_what_is_under_way_arrive_in_order(server, relay):
    line, _ = named(relay)
    for number, delay in enumerate((FOREVER, 100.0, 10_000.0)):
        relay.delay(delay, "upstream")
        line.sendall(b"%d" % number)
    relay.delay(0)
    assert exactly(line, 3) == b"012"
    line.close()


def test_bytes_and_the_end_arrive_by_themselves_after_the_delay(relay):
    line, _ = named(relay)
    relay.delay(0.05, "upstream")
    relay.delay(0.1, "downstream")
    begun = time.monotonic()
    line.sendall(b"x")
    line.shutdown(socket.SHUT_WR)
    assert exactly(line, 1) == b"x"
    assert time.monotonic() - begun >= 0.15
    assert line.recv(1) == b""
    line.close()


def test_only_the_chosen_direction_is_late(server, relay):
    line, _ = named(relay)
    relay.delay(FOREVER, "downstream")
    line.sendall(b"there")
    wait_until(lambda: server.received[0] == b"there")
    relay.delay(0)
    assert exactly(line, 5) == b"there"
    line.close()


def test_another_upstream_cuts_the_old_connections(server, other, relay):
    line, _ = named(relay)
    relay.set_upstream(other.address)
    with pytest.raises(ConnectionResetError):
        line.recv(1)
    assert named(relay)[1] == b"B"
    line.close()


def test_clients_learn_a_new_address_evenly_over_the_ttl():
    switch = TtlSwitch(Address("127.0.0.1", 1), Address("127.0.0.1", 2), begun=100.0, ttl=30.0)
    assert [switch.share(now) for now in (90.0, 100.0, 115.0, 130.0, 500.0)] == [0, 0, 0.5, 1, 1]


def test_within_the_ttl_clients_stay_with_the_old_address(other, relay):
    old, _ = named(relay)
    relay.switch(other.address, ttl=1e9)
    assert [named(relay)[1] for _ in range(5)] == [b"A"] * 5
    old.sendall(b"still here")
    assert exactly(old, 10) == b"still here"
    old.close()


def test_after_the_ttl_all_are_at_the_new_address(other, relay):
    old, _ = named(relay)
    relay.switch(other.address, ttl=0.05)
    with pytest.raises(ConnectionResetError):
        old.recv(1)
    assert [named(relay)[1] for _ in range(5)] == [b"B"] * 5
    old.close()


def test_guard_is_asked_at_each_connection(server):
    answers = [True, False, True]
    with Relay(server.address, guard=lambda: answers.pop(0)) as relay:
        assert named(relay)[1] == b"A"
        with pytest.raises(ConnectionResetError):
            connect(relay).recv(1)
        assert named(relay)[1] == b"A"
        assert relay.counts.refused == 1
    assert len(server.received) == 2


def test_server_that_is_down_is_a_reset(relay, server):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        relay.set_upstream(Address(*unused.getsockname()))
        with pytest.raises(ConnectionResetError):
            connect(relay).recv(1)
    assert relay.counts.refused == 1


def test_nothing_is_left_behind(server):
    before = set(threading.enumerate())
    relay = Relay(server.address)
    line, _ = named(relay)
    relay.close()
    relay.close()
    with pytest.raises(ConnectionResetError):
        line.recv(1)
    line.close()
    socket.create_server(relay.address).close()
    assert {thread for thread in set(threading.enumerate()) - before if "relay" in thread.name} == (
        set()
    )


def test_taken_port_is_named(server):
    with pytest.raises(StackProblem, match=f"port {server.address.port} cannot be had"):
        Relay(server.address, port=server.address.port)
