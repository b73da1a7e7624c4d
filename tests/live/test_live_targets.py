"""Whole runs against services of a team's own, which do things as the world does them."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from urllib.request import Request, urlopen

import polars as pl
import pytest
from raw_servers import Manners, RawServer, goes_on, hang, says
from small_scenarios import small

from loadtests import live_run, stack
from loadtests.live_run import run_live
from reports.recorder import scan_events

pytestmark = pytest.mark.live

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(autouse=True)
def any_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gateways beside those of other tests."""
    ports = {name: live_run._free_port() for name in stack.TARGET_PORTS}
    monkeypatch.setattr(stack, "TARGET_PORTS", ports)


class Service:
    """A binding service whose identifiers are numbers, and which compresses whatever it says."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.paths: Counter[str] = Counter()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.paths[self.path] += 1
                said = gzip.compress(json.dumps(service.answer(self.path, body)).encode())
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; charset=latin-1")
                self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def do_GET(self) -> None:
                self.send_response(302)
                self.send_header("Location", "/welcome")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path: str, body: bytes) -> dict[str, object]:
        if path == "/v1/applicants":
            return {"applicant_id": next(self.numbers)}
        if path == "/v1/bindings":
            asked = json.loads(body)
            assert type(asked["applicant_id"]) is int
            number = next(self.numbers)
            message = {"phone": asked["phone"], "text": "123456", "out_id": f"{number}"}
            url = f"http://127.0.0.1:{stack.TARGET_PORTS['sms']}/v1/send"
            urlopen(Request(url, json.dumps(message).encode(), JSON), timeout=20).close()
            return {"binding_id": number}
        return {"state": "VERIFIED" if path.endswith("/confirm") else "ACTIVE"}


JSON = {"Content-Type": "application/json"}


@pytest.fixture
def service() -> Iterator[Service]:
    running = Service()
    yield running
    running.server.shutdown()
    running.server.server_close()


def endings(folder: Path) -> Counter[tuple[str, str]]:
    ended = scan_events(folder).filter(pl.col("kind") == "end").collect()
    return Counter(ended.select("state", "cause").rows())


def test_a_service_that_numbers_its_records_and_compresses_is_played_like_any(
    tmp_path: Path, service: Service
) -> None:
    scenario = small("numbers", rate=3.0, duration=2.0)
    assert run_live(scenario, tmp_path, target=service.url).state == "complete"
    found = endings(tmp_path)
    assert set(found) == {("ACTIVE", "ok")}
    confirmed = [path for path in service.paths if path.endswith("/confirm")]
    assert len(confirmed) == found["ACTIVE", "ok"] > 0
    assert all(path.split("/")[3].isdigit() for path in confirmed)


def only_register(manners: Manners) -> Manners:
    """Answers the first look at the target as a service does, and the customers with `manners`."""

    def answer(connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"GET / "):
            connection.sendall(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")
        else:
            manners(connection, request)

    return answer


ANSWERS: dict[str, tuple[Manners, tuple[str, str]]] = {
    "redirect": (
        says(b"HTTP/1.1 302 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", hangs_up=False),
        ("FAILED", "http_302"),
    ),
    "endless": (
        goes_on(CHUNKED, b"8000\r\n" + bytes(0x8000) + b"\r\n"),
        ("FAILED", "bad_answer"),
    ),
    "null": (says(OK + b'\r\n{"applicant_id": null}'), ("FAILED", "bad_answer")),
    "cut": (says(OK + b"Content-Length: 99\r\n\r\n{"), ("ABANDONED", "reset")),
    "silent": (hang, ("ABANDONED", "timeout")),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_that_nobody_can_use_ends_journeys_and_not_the_run(
    tmp_path: Path, raw_server: Callable[[Manners], RawServer], kind: str
) -> None:
    manners, ending = ANSWERS[kind]
    journey = {"pace": 0.01, "come_back": 0.0, "request_timeout": 0.5, "patience": 3000.0}
    scenario = small(kind, rate=3.0, duration=1.0, journey=journey)
    target = raw_server(only_register(manners)).url
    result = run_live(scenario, tmp_path, target=target)
    # Every journey has its ending; that all of them have this one is what the run is about.
    assert result.state == "failed"
    assert "failed at register: sent POST /v1/applicants" in result.note
    found = endings(tmp_path)
    assert set(found) == {ending}
    assert (tmp_path / "settlement.csv").exists()
