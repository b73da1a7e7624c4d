"""The lender before partners that answer with anything, and gateways that are sent anything."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Callable

import brotli
import pytest
from raw_servers import Manners, RawServer, goes_on, says
from served import CARD, PERSON, WORLD, Servers, eventually

from mocks.content import MOST_BYTES
from mocks.server.options import LOOPBACK_SIGNING_KEY
from mocks.signing import sign

SHORT_OF_PATIENCE = WORLD.replace(
    "lender: {outbox_interval: 200ms}",
    "lender: {outbox_interval: 100ms, give_up_after: 1s,"
    " bank: {timeout: 500ms, query_after: 50ms, queries: 1}}",
)
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def json_answer(**body: object) -> Manners:
    return says(OK + b"\r\n" + json.dumps(body).encode())


def coded(coding: bytes, body: bytes) -> Manners:
    return says(OK + b"Content-Encoding: " + coding + b"\r\n\r\n" + body)


SIGNED = json.dumps(
    {"respCode": "00", "origRespCode": "00", "agreement_no": "12345678901234567800"}
).encode()
NONSENSE: dict[str, Manners] = {
    "a list": json_answer(respCode="00", origRespCode="00", agreement_no=["1"]),
    "a number": json_answer(respCode="00", origRespCode="00", agreement_no=1),
    "NUL": json_answer(respCode="00", origRespCode="00", agreement_no="a\x00b"),
    "3 MB": json_answer(respCode="00", origRespCode="00", agreement_no="1" * 3_000_000),
    "nothing": says(b""),
    "no content": says(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "HTML": says(OK + b"Content-Type: text/html\r\n\r\n<html>"),
    "not UTF-8": says(OK + b"\r\n" + SIGNED.decode().encode("utf-16")),
    "deep": says(OK + b"\r\n" + b"[" * 100_000),
    "cut": says(OK + b"Content-Length: 999\r\n\r\n" + SIGNED),
    "not HTTP": says(b"SSH-2.0-x\r\n"),
    "huge headers": goes_on(OK, b"X: " + b"y" * 1000 + b"\r\n"),
    "endless": goes_on(CHUNKED, b"8000\r\n" + b" " * 0x8000 + b"\r\n"),
    "drips": goes_on(OK + b"Content-Length: 9999\r\n\r\n", b" ", pause=0.01),
    "a redirect": says(b"HTTP/1.1 307 X\r\nLocation: /v1/open\r\n\r\n" + SIGNED),
    "a bomb": coded(b"gzip", gzip.compress(SIGNED + bytes(50_000_000))),
    "another bomb": coded(b"br", brotli.compress(SIGNED + bytes(50_000_000), quality=3)),
    "not coded so": coded(b"gzip", SIGNED),
    "unknown coding": coded(b"zstd", SIGNED),
}


def lender_with_bank(serve: Callable[..., Servers], bank: RawServer) -> Servers:
    ports = dict.fromkeys(("sms", "payment", "lender"), 0)
    return serve(ports=ports, world=SHORT_OF_PATIENCE, gateways={"bank": bank.url})


@pytest.mark.parametrize("kind", NONSENSE)
def test_a_bank_that_talks_nonsense_leaves_nothing_stuck(serve, raw_server, kind: str) -> None:
    servers = lender_with_bank(serve, raw_server(NONSENSE[kind]))
    binding = servers.submit(servers.register()).json["binding_id"]
    path = f"/v1/bindings/{binding}"
    confirmed = servers.post("lender", f"{path}/confirm", {"otp": servers.read_code()})
    assert (confirmed.status, confirmed.json["state"]) == (202, "VERIFYING")
    eventually(lambda: servers.get("lender", path).json["state"] == "FAILED")
    assert servers.get("lender", path).json["reason"] == "bank_unknown"
    assert "background_failed" not in servers.log_file.read_text()


@pytest.mark.parametrize(
    "manners",
    [
        coded(b"gzip", gzip.compress(SIGNED)),
        coded(b"br", brotli.compress(SIGNED)),
        says(OK + b"Content-Type: text/html; charset=latin-1\r\n\r\n\xef\xbb\xbf" + SIGNED),
    ],
)
def test_a_bank_that_codes_its_answer_unasked_is_understood(serve, raw_server, manners) -> None:
    bank = raw_server(manners)
    servers = lender_with_bank(serve, bank)
    servers.confirmed()
    assert b"accept-encoding: identity" in bank.requests[0].lower()


def test_of_an_endless_answer_no_more_is_read_than_the_bound(serve, raw_server) -> None:
    sent: list[int] = []

    def endless(connection: socket.socket, _: bytes) -> None:
        connection.sendall(CHUNKED)
        sent.append(0)
        while True:
            connection.sendall(b"8000\r\n" + b" " * 0x8000 + b"\r\n")
            sent[-1] += 0x8000

    servers = lender_with_bank(serve, raw_server(endless))
    binding = servers.submit(servers.register()).json["binding_id"]
    servers.post("lender", f"/v1/bindings/{binding}/confirm", {"otp": servers.read_code()})
    # What is beyond lies in buffers of the kernel and of the event loop.
    assert 0 < max(sent) < 16 * MOST_BYTES


# ── callbacks into the lender ───────────────────────────────────────────────────────────────────


REPORT = {"out_id": "bnd_1-1", "status": "DELIVRD"}
NOTICE = {"order_no": "bnd_1-charge", "trade_state": "SUCCESS", "amount_fen": 1}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        *(
            ("sms", json.dumps({**REPORT, "out_id": f"bnd_1-{number}"}))
            for number in ("²", "1" * 5000, "999999", "1\x00")
        ),
        ("sms", json.dumps({**REPORT, "out_id": ["bnd_1-1"]})),
        ("sms", json.dumps({"out_id": "bnd_1-1"})),
        ("payment", '{"order_no": "bnd_1-charge", "trade_state": "SUCCESS"}'),
        *(
            ("payment", json.dumps(NOTICE).replace('"amount_fen": 1', f'"amount_fen": {amount}'))
            for amount in ("0", "-1", "2", "1.0", "1e999", "true", '"1"', "null", "9" * 5000, "[]")
        ),
        ("payment", json.dumps({**NOTICE, "currency": "USD"})),
        ("payment", json.dumps({**NOTICE, "order_no": "a\x00"})),
        ("payment", json.dumps({**NOTICE, "trade_state": "PAID"})),
        ("payment", json.dumps({**NOTICE, "order_no": "\ud800"})),
        ("payment", "[" * 60_000),
        ("payment", "NaN"),
    ],
)
def test_a_callback_that_does_not_fit_is_refused_after_its_signature(
    shared: Servers, path: str, body: str
) -> None:
    content = body.encode()
    where = f"/v1/callbacks/{path}"
    assert shared.post("lender", where, content).status == 401
    signed = sign(LOOPBACK_SIGNING_KEY.encode(), content, time.time())
    reply = shared.post("lender", where, content, **signed)
    assert (reply.status, reply.error["code"]) in {
        (400, "INVALID_CALLBACK"),
        (400, "INVALID_JSON"),
    }


# ── what gateways are sent ──────────────────────────────────────────────────────────────────────


def body_of(service: str, path: str) -> dict[str, object]:
    if service == "sms":
        return {"phone": PERSON["phone"], "text": "code 123456", "out_id": "o-1"}
    if service == "payment":
        return {"order_no": "p-1", "agreement_no": "12345678901234567800", "amount_fen": 1}
    holder = {"holder": PERSON["name"], "id_number": PERSON["id_number"]}
    return {"order_no": "b-1", "card_number": CARD, "phone": PERSON["phone"], **holder}


CODES = {
    "sms": {"isv.INVALID_PARAMETERS", "isv.PARAM_LENGTH_LIMIT"},
    "payment": {"PARAM_ERROR"},
    "bank": {"10", "13"},
}
RAW = ("null", "true", "0", "1.5", "[]", "{}", '""', "9" * 4000, '"a\\u0000b"', '"\\u001b[31m"')


@pytest.mark.parametrize("raw", RAW)
@pytest.mark.parametrize(
    ("service", "path"),
    [("bank", "open"), ("bank", "verify"), ("sms", "send"), ("payment", "charge")],
)
def test_a_field_that_is_no_text_has_the_gateways_code(
    shared: Servers, service: str, path: str, raw: str
) -> None:
    body = body_of(service, path)
    for field in (name for name in body if name != "amount_fen"):
        content = json.dumps({**body, field: "@@"}).replace('"@@"', raw).encode()
        reply = shared.post(service, f"/v1/{path}", content)
        assert reply.status == 400, (field, reply.body)
        told = reply.json.get("respCode") or reply.json.get("code") or reply.json.get("Code")
        assert told in CODES[service], (field, reply.body)


@pytest.mark.parametrize(
    "amount", ["null", "true", "1.0", "1e2", '"1"', "0", "-1", "9" * 40, "[]", "1e999", "9" * 5000]
)
@pytest.mark.parametrize("path", ["charge", "refund"])
def test_an_amount_that_is_no_whole_number_is_refused(
    shared: Servers, path: str, amount: str
) -> None:
    body = {**body_of("payment", path), "original_order_no": "p-0", "amount_fen": "@@"}
    content = json.dumps(body).replace('"@@"', amount).encode()
    reply = shared.post("payment", f"/v1/{path}", content)
    assert reply.status == 400
    told = reply.json.get("code") or reply.error["code"]
    assert told in ("PARAM_ERROR", "INVALID_JSON")


@pytest.mark.parametrize("original", [["x"], {"a": 1}, 5, True, "a\x00"])
def test_a_termination_for_an_order_that_is_none_ends_nothing(
    shared: Servers, original: object
) -> None:
    order = f"t-{abs(hash(str(original)))}"
    agreement = shared.open_card(order).json["agreement_no"]
    body = {"order_no": f"{order}-e", "agreement_no": agreement, "original_order_no": original}
    refused = shared.post("bank", "/v1/terminate", body)
    assert (refused.status, refused.json["respCode"]) == (400, "10")
    ended = shared.post("bank", "/v1/terminate", {**body, "original_order_no": order})
    assert ended.json["respCode"] == "00"


@pytest.mark.parametrize(
    "content", [b'{"phone": "\xff"}', b'{"phone": "\\ud800"}', b"\xef\xbb\xbf{", b"[]", b"{"]
)
@pytest.mark.parametrize("service", ["bank", "sms", "payment"])
def test_bytes_that_are_no_json_are_refused(shared: Servers, service: str, content: bytes) -> None:
    path = {"bank": "open", "sms": "send", "payment": "charge"}[service]
    reply = shared.post(service, f"/v1/{path}", content, Content_Type="application/json")
    assert (reply.status, reply.error["code"]) == (400, "INVALID_JSON")
