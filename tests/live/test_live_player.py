"""Directives over HTTP, and what the player writes down of them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from raw_servers import hang, reply, reset, says

from loadtests.client import Client
from loadtests.clock import RunClock
from loadtests.handset import Handset
from loadtests.player import Player, send
from reports.events import SCHEMA
from scenarios.directives import Answer, Ending, Message, Now, ReadOtp, Request, Think

UNUSABLE = {"error": {"code": "BAD_ANSWER"}}
REFUSED = {status: {"error": {"code": f"HTTP_{status}"}} for status in (302, 304, 409, 500)}


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
        (reply(500, b'{"error": {"code": ["x"]}}'), Answer(500, REFUSED[500], "HTTP_500")),
        (reply(409, b'{"error": {"code": "13800000000"}}'), Answer(409, REFUSED[409], "HTTP_409")),
        (reply(302, b'{"binding_id": "x"}'), Answer(302, REFUSED[302], "HTTP_302")),
        (reply(304, b""), Answer(304, REFUSED[304], "HTTP_304")),
        (says(b"SSH-2.0\r\n"), Answer(0, UNUSABLE, "BAD_ANSWER")),
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


# ── answers to the contract's operations, as services have them ─────────────────────────────────


@pytest.mark.parametrize(
    ("written", "identifier", "in_path"),
    [
        ('"b1"', "b1", b"b1"),
        ("99", 99, b"99"),
        ("1" + "0" * 40, 10**40, b"1" + b"0" * 40),
        ('"a/b?c#d%e"', "a/b?c#d%e", b"a%2Fb%3Fc%23d%25e"),
        ('"\\u7ed1 \\r\\nX: y"', "绑 \r\nX: y", b"%E7%BB%91%20%0D%0AX%3A%20y"),
        ('".."', "..", b"%2E%2E"),
        (f'"{"x" * 1024}"', "x" * 1024, b"x" * 1024),
    ],
)
def test_an_identifier_is_taken_as_the_service_has_it(raw_server, written, identifier, in_path):
    server = raw_server(reply(201, f'{{"binding_id": {written}}}'.encode()))
    client = Client(server.url)
    answer, _ = send(client, Request("submit"), 1)
    assert answer == Answer(201, {"binding_id": identifier}, "OK")
    send(client, Request("confirm", path={"binding": str(answer.body["binding_id"])}), 1)
    line = server.requests[1].split(b"\r\n")[0]
    assert line == b"POST /v1/bindings/" + in_path + b"/confirm HTTP/1.1"


NO_IDENTIFIER = ("null", "true", "1.5", "[]", "{}", '""', f'"{"x" * 1025}"', "1" * 5000)
NO_JSON = (b"", b"[]", b"7", b'"x"', b"NaN", b"null", b"<html>", b"{", b'{"a": "\xff"}')


@pytest.mark.parametrize(
    "content",
    [
        *(f'{{"binding_id": {written}}}'.encode() for written in NO_IDENTIFIER),
        *NO_JSON,
        b"{}",
        b'{"binding_id": "a", "binding_id": null}',
        b'{"binding_id": "\\ud800"}',
        '{"binding_id": "a"}'.encode("utf-16"),
        b'{"binding_id":' + b"[" * 100_000,
    ],
)
def test_a_success_without_what_the_contract_says_is_a_bad_answer(raw_server, content):
    answer, body = send(Client(raw_server(reply(201, content)).url), Request("submit"), 1)
    assert (answer, body) == (Answer(201, UNUSABLE, "BAD_ANSWER"), content)


@pytest.mark.parametrize(
    ("op", "content", "body"),
    [
        ("register", b'{"applicant_id": 7}', {"applicant_id": 7, "documents": []}),
        ("register", b'{"applicant_id": 7, "documents": "all"}', None),
        ("register", b'{"applicant_id": 7, "documents": [1]}', None),
        ("documents", b"", {}),
        ("resend", b'{"state": "OTP_SENT", "phone": "13800000000"}', {"state": "OTP_SENT"}),
        ("authorise", b'{"state": 5}', {}),
        ("authorise", b"<html>", None),
        ("confirm", b'{"state": "VERIFIED"}', {"state": "VERIFIED", "reason": ""}),
        ("confirm", b"{}", None),
        ("test_payment", b'{"state": "DONE"}', None),
        ("status", b'{"state": "FAILED", "reason": "x"}', {"state": "FAILED", "reason": "x"}),
        ("status", b'{"state": "FAILED", "reason": 3}', None),
        ("status", b'{"state": ["ACTIVE"]}', None),
    ],
)
def test_each_operation_has_its_fields_and_no_others(raw_server, op, content, body):
    request = Request(op, path={"applicant": "a", "binding": "b"})
    answer, _ = send(Client(raw_server(reply(200, content)).url), request, 1)
    assert answer == (
        Answer(200, UNUSABLE, "BAD_ANSWER") if body is None else Answer(200, body, "OK")
    )


def test_words_of_a_refusal_are_words(raw_server):
    said = {
        "error": {"code": "BANK_DECLINED", "reason": "13800000000", "field": {"a": 1}},
        "state": "REJECTED",
        "binding_id": 8,
        "phone": "13800000000",
    }
    answer, _ = send(Client(raw_server(reply(402, json.dumps(said).encode())).url), CONFIRM, 1)
    kept = {"error": {"code": "BANK_DECLINED"}, "state": "REJECTED", "binding_id": 8}
    assert answer == Answer(402, kept, "BANK_DECLINED")


CONFIRM = Request("confirm", path={"binding": "b"})


def test_whatever_goes_wrong_in_a_journey_ends_that_one_alone(raw_server, caplog, monkeypatch):
    watched = Watched(raw_server(reply(200, b"{}")).url)

    def broken(*_: Any) -> None:
        raise TypeError("13800000000")

    monkeypatch.setattr("loadtests.player.read_answer", broken)

    def steps():
        yield Request("register")
        return Ending("ACTIVE", "ok")

    for number in (1, 2):
        assert watched.player.play(number, 0.0, steps()) == Ending("FAILED", "journey_error")
    ends = [(row["state"], row["cause"]) for row in watched.of("end")]
    assert ends == [("FAILED", "journey_error")] * 2
    assert caplog.text.count("TypeError at ") == 1  # once for each place
    assert "13800000000" not in caplog.text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"<html>",
        b'{"text": 5, "seen": 2}',
        b'{"text": "1234", "seen": 1}',
        b'{"text": "1234", "seen": 1e300}',
        b'{"text": "1234", "seen": ' + b"9" * 5000 + b"}",
    ],
)
def test_an_inbox_that_says_nothing_new_is_asked_with_pauses(raw_server, content):
    server = raw_server(reply(200, content))
    handset = Handset(server.url)
    assert handset.read("13800000000", 1, 0.3) is None
    assert len(server.requests) <= 3
