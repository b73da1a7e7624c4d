"""The health check from outside, against a server that says what a test wants."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec

from loadtests.drill.probe import FILE, Check, Prober
from scenarios.drill import Probe


class Lender(ThreadingHTTPServer):
    status = 404
    asked: list[tuple[str, str, bytes]]


class Handler(BaseHTTPRequestHandler):
    server: Lender

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, self.headers["Idempotency-Key"], body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def lender():
    server = Lender(("127.0.0.1", 0), Handler)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def prober(server, folder):
    probe = Probe(every=0.01, timeout=5.0, failures=3)
    return Prober(f"http://127.0.0.1:{server.server_address[1]}", probe, folder, 6)


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def test_a_check_makes_the_lender_write_and_read_and_takes_a_refusal_for_an_answer(tmp_path):
    with lender() as server:
        found = prober(server, tmp_path)
        assert found.check().passed
        assert found.check().passed
        server.status = 503
        assert not found.check().passed
    assert not found.check().passed
    paths, keys, bodies = zip(*server.asked, strict=True)
    assert set(paths) == {"/v1/bindings/health-check/confirm"}
    assert len(set(keys)) == 3
    assert set(bodies) == {b'{"otp":"000000"}'}


def test_the_alarm_takes_failures_in_a_row_since_the_fault(tmp_path):
    with lender() as server:
        found = prober(server, tmp_path)
        found.start()
        wait_until(lambda: server.asked)
        assert not found.alarm(0.0)
        server.status = 500
        wait_until(lambda: found.alarm(0.0))
        later = time.time() + 3600
        assert not found.alarm(later)
        server.status = 404
        wait_until(lambda: not found.alarm(0.0))
        found.stop()
    lines = (tmp_path / FILE).read_bytes().splitlines()
    checks = [msgspec.json.decode(line, type=Check) for line in lines]
    assert len(checks) == len(server.asked)
    assert {check.passed for check in checks} == {True, False}
