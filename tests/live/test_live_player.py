"""Directives over HTTP, and what the player writes down of them."""

from __future__ import annotations

import json
import time

import pytest
from raw_servers import hang, reply, reset

from loadtests.client import Client
from loadtests.clock import RunClock
from loadtests.handset import Handset
from loadtests.player import Player, send
from reports.events import SCHEMA
from scenarios.directives import Answer, Ending, Message, Now, ReadOtp, Request, Think


class Watched:
    """A player with what it recorded, rows as dictionaries."""

    def __init__(self, lender: str, handset: str = "http://127.0.0.1:1") -> None:
        self.rows: list[dict[str, object]] = []
        self.measured: list[tuple[str, float, int, str]] = []
        self.clock = RunClock(time.time())
        self.player = Player(
            Client(lender),
            Handset(handset),
            self.clock,
            lambda row: self.rows.append(dict(zip(SCHEMA, row, strict=True))),
            lambda *seen: self.measured.append(seen),
        )

    def of(self, kind: str) -> list[dict[str, object]]:
        return [row for row in self.rows if row["kind"] == kind]


def test_latency_counts_from_when_it_was_due_not_from_when_it_was_sent(raw_server):
    watched = Watched(raw_server(reply(200, b"{}")).url)

    def steps():
        yield Request("register")
        yield Think(0.25)
        yield Request("submit")
        return Ending("ACTIVE", "ok")

    planned = watched.clock.now() - 5  # the load generator is five seconds late
    watched.player.play(7, planned, steps())
    first, second = watched.of("request")
    assert first["intended"] == planned
    assert first["started"] >= planned + 5
    assert second["intended"] == first["ended"] + 0.25
    assert watched.measured[0][1] == first["ended"] - planned
    (arrival,), (end,) = watched.of("arrival"), watched.of("end")
    assert (arrival["customer"], arrival["intended"]) == (7, planned)
    assert arrival["started"] >= planned + 5
    assert (end["intended"], end["state"], end["cause"]) == (planned, "ACTIVE", "ok")


@pytest.mark.parametrize(
    ("manners", "answer"),
    [
        (reply(201, b'{"binding_id": "x"}'), Answer(201, {"binding_id": "x"}, "OK")),
        (
            reply(403, b'{"error": {"code": "OTP_WRONG"}}'),
            Answer(403, {"error": {"code": "OTP_WRONG"}}, "OTP_WRONG"),
        ),
        (reply(502, b"<html>"), Answer(502, {"error": {"code": "HTTP_502"}}, "HTTP_502")),
        (reply(500, b'{"error": "no"}'), Answer(500, {"error": {"code": "HTTP_500"}}, "HTTP_500")),
        (reset, Answer(0, {}, "RESET")),
        (hang, Answer(0, {}, "TIMEOUT")),
    ],
)
def test_answers_have_the_contracts_codes(raw_server, manners, answer):
    client = Client(raw_server(manners).url)
    timeout = 0.05 if manners is hang else 30.0
    given, _ = send(client, Request("submit", {"a": 1}, timeout=timeout), 3)
    assert given == answer


def test_request_carries_path_key_customer_and_body(raw_server):
    server = raw_server(reply(200, b"{}"))
    request = Request("confirm", {"otp": "x"}, {"binding": "b/1"}, idempotency_key="k-1")
    send(Client(server.url), request, 12)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/bindings/b%2F1/confirm HTTP/1.1")
    assert b"Idempotency-Key: k-1" in head
    assert b"X-Bindrill-Customer: 12" in head
    assert json.loads(body) == {"otp": "x"}


def test_picture_travels_as_multipart(raw_server):
    server = raw_server(reply(200, b"{}"))
    request = Request(
        "documents",
        {"kind": "bank_card", "content_type": "image/jpeg", "size": 4, "sha256": ""},
        {"applicant": "a"},
        image=lambda: b"\xff\xd8\r\n",
    )
    send(Client(server.url), request, 1)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    boundary = head.partition(b"boundary=")[2].split(b"\r\n")[0]
    kind, file = body.split(b"--" + boundary)[1:3]
    assert kind.endswith(b'name="kind"\r\n\r\nbank_card\r\n')
    assert file.endswith(b"Content-Type: image/jpeg\r\n\r\n\xff\xd8\r\n\r\n")


def test_code_is_read_at_the_handset_and_waiting_is_recorded(raw_server):
    inbox = raw_server(reply(200, b'{"text": "123456", "seen": 2}'))
    watched = Watched("http://127.0.0.1:1", inbox.url)
    got: list[object] = []

    def steps():
        got.append((yield ReadOtp("13800000000", 1, 0.0)))  # a look only
        got.append((yield ReadOtp("13800000000", 1, 30.0)))
        got.append((yield Now()))
        return Ending("ABANDONED", "patience")

    watched.player.play(1, 0.0, steps())
    assert got[:2] == [Message("123456", 2)] * 2
    assert isinstance(got[2], float)
    asked = json.loads(inbox.requests[0].partition(b"\r\n\r\n")[2])
    assert asked == {"phone": "13800000000", "seen": 1, "wait": 0.0}
    (wait,) = watched.of("otp")
    assert (wait["attempt"], wait["code"]) == (1, "READ")


def test_empty_and_dead_inboxes_end_with_patience(raw_server):
    for url in (raw_server(reply(204, b"")).url, "http://127.0.0.1:1"):
        watched = Watched("http://127.0.0.1:1", url)

        def steps():
            assert (yield ReadOtp("13800000000", 0, 0.05)) is None
            return Ending("ABANDONED", "otp_not_received")

        watched.player.play(1, 0.0, steps())
        assert [row["code"] for row in watched.of("otp")] == ["TIMEOUT"]


def test_journey_that_breaks_on_an_answer_ends_failed_and_says_no_secret(raw_server, caplog):
    watched = Watched(raw_server(reply(200, b"{}")).url)

    def steps():
        answer = yield Request("register", {"phone": "13800000000"})
        raise KeyError(f"13800000000 {answer.body['applicant_id']}")

    ending = watched.player.play(1, 0.0, steps())
    assert ending == Ending("FAILED", "journey_error")
    assert watched.of("end")[0]["cause"] == "journey_error"
    assert "KeyError" in caplog.text
    assert "13800000000" not in caplog.text
