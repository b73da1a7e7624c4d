"""What is turned away before it is worked on: names, origins, types, encodings, sizes, bytes."""

from __future__ import annotations

import gzip
import json
import random
from typing import Any

import pytest
from raw import Raw, ask, request
from served import JPEG, PERSON, Servers, eventually, form, is_closed

from mocks.server.hosts import Hosts

JSON = "Content-Type: application/json"
EVERYWHERE = [
    ("bank", "GET /__admin/requests"),
    ("bank", "GET /__admin/faults"),
    ("bank", "POST /v1/open"),
    ("sms", "POST /handset/inbox"),
    ("payment", "GET /v1/settlement/2026-01-31"),
    ("lender", "GET /metrics"),
    ("lender", "GET /openapi.json"),
    ("lender", "POST /v1/applicants"),
    ("lender", "POST /v1/callbacks/sms"),
    ("lender", "GET /health"),
    ("lender", "GET /no/such/path"),
    ("lender", "PATCH /v1/applicants"),
]


# ── names ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("service", "line"), EVERYWHERE)
def test_a_name_that_is_not_ours_gets_nothing(shared: Servers, service: str, line: str) -> None:
    status, error = ask(shared, service, request(line, host="evil.example"))
    assert (status, error["code"]) == (421, "HOST_NOT_SERVED")


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost", "localhost.", "localhost:1", "127.0.0.1", "127.0.0.1:80", "[::1]:9"],
)
def test_names_of_loopback_are_ours_at_any_port(shared: Servers, host: str) -> None:
    assert ask(shared, "bank", request("GET /health", host=host))[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "evil.example:8081", "127.0.0.1.evil.example", "localhost.evil"),
        *("127.0.0.1@evil.example", "evil.example#127.0.0.1", "10.0.0.1", "[::2]", "[::1", "::1"),
        *("localhost:port", "localhost:999999", "localhost, evil.example", "a" * 5000, "127.1"),
        *("localhost..", "2130706433", "localhost\xff", "local host"),
    ],
)  # fmt: skip
def test_other_names_are_not(shared: Servers, host: str) -> None:
    assert ask(shared, "bank", request("GET /health", host=host))[0] in (400, 421)


def test_a_request_has_one_name(shared: Servers) -> None:
    twice = request("GET /health", "Host: evil.example")
    assert ask(shared, "bank", twice)[0] == 400
    absolute = request("GET http://evil.example/__admin/faults")
    assert ask(shared, "bank", absolute)[0] == 421
    assert ask(shared, "bank", request("GET http://localhost/__admin/faults"))[0] == 200
    assert ask(shared, "bank", request("GET http://localhost/", host="evil.example"))[0] == 421
    nameless = b"GET /__admin/requests HTTP/1.0\r\n\r\n"
    assert ask(shared, "bank", nameless)[0] == 421
    assert ask(shared, "bank", b"GET /__admin/requests HTTP/1.1\r\n\r\n")[0] == 400


def test_names_the_user_allows_are_ours(serve) -> None:
    servers = serve("bank", allow_hosts=("Bank", "bank.test.svc"))
    for host in ("bank", "BANK:8081", "bank.test.svc."):
        assert ask(servers, "bank", request("GET /health", host=host))[0] == 200
    assert ask(servers, "bank", request("GET /health", host="bank.test"))[0] == 421


def test_a_server_at_every_address_takes_addresses_and_no_names() -> None:
    hosts = Hosts("0.0.0.0", ["lender"])  # noqa: S104  # nothing listens
    assert all(map(hosts.serves, ["10.1.2.3:8080", "[fe80::1]", "lender:8080", "localhost"]))
    assert not any(map(hosts.serves, ["evil.example", "10.1.2.3.evil.example", "lender.evil", ""]))


# ── origins and types ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "header",
    [
        *("Origin: http://evil.example", "Origin: null", "Origin: http://localhost:3000"),
        *("Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: \xff", "Origin:"),
    ],
)
@pytest.mark.parametrize(("service", "line"), EVERYWHERE)
def test_pages_of_other_origins_get_nothing(
    shared: Servers, service: str, line: str, header: str
) -> None:
    status, error = ask(shared, service, request(line, header, host="localhost:8080"))
    assert (status, error["code"]) == (403, "FOREIGN_ORIGIN")


def test_an_empty_reset_from_a_page_changes_nothing(shared: Servers) -> None:
    space = {"X_Bindrill_Namespace": "page"}
    shared.fault("bank", kind="latency", delay="1ms", namespace="page")
    for method, path in (("POST", "reset"), ("DELETE", "faults"), ("DELETE", "requests")):
        refused = shared.call(
            "bank", method, f"/__admin/{path}", Origin="http://evil.example", **space
        )
        assert refused.status == 403
    assert len(shared.get("bank", "/__admin/faults", **space).json["faults"]) == 1


def test_our_own_pages_may_ask(shared: Servers) -> None:
    own = request("GET /health", "Origin: http://localhost:81", host="localhost:81")
    assert ask(shared, "bank", own)[0] == 200
    typed = request("GET /health", "Sec-Fetch-Site: none")
    assert ask(shared, "bank", typed)[0] == 200


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON ; Charset=UTF-8", 200),
        ('application/json; charset="utf-8"; q=1', 200),
        ("application/json; charset=utf-16", 415),
        ("application/jsonp", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("text/plain; application/json", 415),
        ("", 415),
        ("\xff", 415),
        (";" * 8000, 415),
    ],
)
@pytest.mark.parametrize(
    ("service", "line", "body"),
    [
        ("bank", "PUT /__admin/faults", b"[]"),
        ("bank", "DELETE /__admin/faults", b"{}"),
        ("bank", "POST /v1/query", b'{"order_no": "1"}'),
        ("lender", "POST /v1/applicants", json.dumps(PERSON).encode()),
    ],
)
def test_bodies_are_json_and_say_so(
    shared: Servers, service: str, line: str, body: bytes, content_type: str, status: int
) -> None:
    found = ask(shared, service, request(line, f"Content-Type: {content_type}", body=body))[0]
    assert found == status or (status, found) == (200, 201)


# ── encodings and sizes ─────────────────────────────────────────────────────────────────────────

BOMB = gzip.compress(b"\r\n" * 2_000_000)


@pytest.mark.parametrize(
    "encoding", ["gzip", "br", "deflate", "zstd", "x-gzip", "identity, gzip", "GZIP", "\xff", ""]
)
@pytest.mark.parametrize(
    ("service", "line", "content_type"),
    [
        ("lender", "POST /v1/applicants", "application/json"),
        ("lender", "POST /v1/applicants/x/documents", "multipart/form-data; boundary=f"),
        ("bank", "PUT /__admin/faults", "application/json"),
        ("sms", "POST /v1/send", "application/json"),
    ],
)
def test_nothing_is_decompressed(
    shared: Servers, service: str, line: str, content_type: str, encoding: str
) -> None:
    headers = (f"Content-Encoding: {encoding}", f"Content-Type: {content_type}")
    status, error = ask(shared, service, request(line, *headers, body=BOMB))
    assert (status, error["code"]) == (415, "CONTENT_ENCODING")


def test_an_encoding_is_refused_before_the_body_has_come(shared: Servers) -> None:
    head = request("POST /v1/applicants", "Content-Encoding: br", JSON, "Content-Length: 3000")
    assert ask(shared, "lender", head)[0] == 415
    transfer = request("POST /v1/applicants", "Transfer-Encoding: gzip, chunked", JSON)
    assert ask(shared, "lender", transfer)[0] in (400, 501)
    own = request("POST /v1/query", "Content-Encoding: identity", JSON, body=b'{"order_no": "1"}')
    assert ask(shared, "bank", own)[0] == 200


@pytest.mark.parametrize(
    ("service", "line"),
    [
        ("lender", "POST /v1/applicants"),
        ("lender", "POST /v1/bindings"),
        ("lender", "POST /v1/callbacks/payment"),
        ("lender", "PUT /__admin/faults"),
        ("bank", "POST /v1/open"),
        ("sms", "POST /handset/inbox"),
    ],
)
def test_json_has_a_limit_of_its_own_wherever_it_is_sent(
    shared: Servers, service: str, line: str
) -> None:
    # Announced: refused before a byte of it has come.
    announced = request(line, JSON, "Content-Length: 65537")
    status, error = ask(shared, service, announced)
    assert (status, error["code"]) == (413, "BODY_TOO_LARGE")
    # Not announced: refused when it is too much.
    with Raw(shared, service) as raw:
        raw.send(request(line, JSON, "Transfer-Encoding: chunked"))
        for _ in range(20):
            raw.send(b"1000\r\n" + b" " * 4096 + b"\r\n")
        assert raw.status() == 413


def upload(*headers: str, body: bytes) -> bytes:
    content_type = "Content-Type: multipart/form-data; boundary=frontier"
    return request("POST /v1/applicants/x/documents", content_type, *headers, body=body)


WHOLE = form(kind=b"bank_card", file=JPEG)[0]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\r\n" * 40_000 + WHOLE, id="preamble of short lines"),
        pytest.param(b"x" * 70_000 + b"\r\n" + WHOLE, id="preamble of one line"),
        pytest.param(WHOLE + b"\r\n" * 40_000, id="epilogue"),
        pytest.param(
            WHOLE.replace(b"\r\n\r\n", b"\r\n" + b"X: y\r\n" * 12_000 + b"\r\n", 1), id="headers"
        ),
        pytest.param(form(**{f"field{n}": b"x" for n in range(20)})[0], id="parts"),
        pytest.param(WHOLE + bytes(5_000_000), id="all of it"),
        pytest.param(
            b'--frontier\r\nContent-Disposition: form-data; name="file"\r\n'
            b"Content-Encoding: gzip\r\n\r\n" + BOMB + b"\r\n--frontier--\r\n",
            id="encoded part",
        ),
        pytest.param(
            b'--frontier\r\nContent-Disposition: form-data; name="file"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--frontier--\r\n",
            id="part in base64",
        ),
        pytest.param(
            b"--frontier\r\nContent-Type: multipart/mixed; boundary=g\r\n\r\n--g\r\n\r\n",
            id="nested",
        ),
    ],
)  # fmt: skip
def test_a_form_is_a_file_and_little_else(shared: Servers, body: bytes) -> None:
    assert ask(shared, "lender", upload(body=body))[0] in (400, 413)
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    head = upload("Transfer-Encoding: chunked", body=b"")
    with Raw(shared, "lender") as raw:
        try:
            raw.send(head + chunked)
        except ConnectionError:
            return  # the answer came, and the connection was closed on the rest
        assert raw.status() in (400, 413)


def test_a_form_with_something_before_and_after_is_read(shared: Servers) -> None:
    applicant = shared.post("lender", "/v1/applicants", PERSON).json["applicant_id"]
    body = b"preamble\r\n" + WHOLE + b"epilogue\r\n"
    reply = shared.post(
        "lender",
        f"/v1/applicants/{applicant}/documents",
        body,
        Content_Type="multipart/form-data; boundary=frontier",
    )
    assert reply.status == 201


def test_a_body_is_asked_for_only_if_it_will_be_taken(shared: Servers) -> None:
    expects = (JSON, "Expect: 100-continue", "Content-Length: 16")
    with Raw(shared, "bank") as raw:
        raw.send(request("POST /v1/query", *expects))
        assert raw.status() == 100
        raw.send(b'{"order_no": "1"}'[:16])
        assert raw.status() == 400
    refused = request("POST /v1/query", *expects, "Content-Encoding: br")
    assert ask(shared, "bank", refused)[0] == 415
    unknown = request("POST /v1/query", "Expect: \xff")
    assert ask(shared, "bank", unknown)[1]["code"] == "EXPECTATION_FAILED"


# ── bytes ───────────────────────────────────────────────────────────────────────────────────────


def test_a_token_or_signature_that_is_no_text_is_a_wrong_one(serve) -> None:
    servers = serve(admin_token="t" * 16)
    for value in (b"Bearer \xff", b"\xff", b"Bearer " + b"x" * 8000, b"Bearer \xc3\xa9"):
        asked = request("GET /__admin/faults", b"Authorization: " + value)
        assert ask(servers, "bank", asked)[0] == 401
    for stamp, value in ((b"1", b"\xff"), (b"\xff", b"v1=0"), (b"\xd9\xa1", b"v1=\xed\xa0\x80")):
        headers = (b"X-Bindrill-Timestamp: " + stamp, b"X-Bindrill-Signature: " + value, JSON)
        asked = request("POST /v1/callbacks/sms", *headers, body=b"{}")
        assert ask(servers, "lender", asked)[0] == 401


def test_no_bytes_make_a_server_fail(serve) -> None:
    servers = serve(allow_customer_headers=True)
    draw = random.Random(1)
    lines = [
        *("GET /__admin/requests?op=%s&namespace=%s", "GET /__admin/calls?after=%s", "GET /%s"),
        *("GET /v1/bindings/%s", "POST /v1/bindings/%s/confirm", "DELETE /__admin/faults/%s"),
        *("GET /v1/settlement/%s", "GET /v1/agreements/%s", "POST /v1/%s?x=%s", "PUT //%s/%s"),
    ]
    names = ["Idempotency-Key", "X-Bindrill-Namespace", "X-Bindrill-Customer", "Content-Type"]
    names += ["Authorization", "X-Bindrill-Timestamp", "X-Bindrill-Signature", "Cookie", "Range"]
    names += ["Expect", "Upgrade", "Content-Length", "Transfer-Encoding", "If-Modified-Since"]
    pieces = [b"\xff", b"\x80", b"%ff", b"%00", b"%2e%2e/", b"\xed\xa0\x80", b"9" * 500, b"[", b"+"]
    pieces += [b"\xd9\xa1", b"a", b"-1", b"%", b"&", b"=", b";", b'"', b"\xe5\x85\xa8", b"x" * 7000]

    def noise() -> bytes:
        return b"".join(draw.choices(pieces, k=draw.randint(1, 3)))

    for number in range(400):
        line = draw.choice(lines).encode()
        for _ in range(line.count(b"%s")):
            line = line.replace(b"%s", noise(), 1)
        headers = [name.encode() + b": " + noise() for name in draw.sample(names, 2)]
        body = b"{}" if draw.random() < 0.5 else b""
        with Raw(servers, draw.choice(["bank", "sms", "payment", "lender"])) as raw:
            raw.send(request(line, *headers, JSON, "Connection: close", body=body))
            raw.socket.shutdown(1)
            assert raw.status() not in (500, 502), (number, line, headers)
    assert "request_failed" not in servers.log_file.read_text()


# ── what the user sees of it ────────────────────────────────────────────────────────────────────


def test_what_was_turned_away_is_seen_with_its_reason(serve) -> None:
    servers = serve("bank")
    servers.open_card("kept")
    path = "/v1/open?phone=19900000012&x=" + "y" * 5000
    refusals: list[tuple[bytes, str]] = [
        (request("POST " + path, host="evil.example"), "HOST_NOT_SERVED"),
        (request("POST /v1/open", "Origin: null"), "FOREIGN_ORIGIN"),
        (request("POST /v1/open", "Content-Encoding: br"), "CONTENT_ENCODING"),
        (request("POST /v1/open", body=b"{}"), "CONTENT_TYPE"),
        (request("POST /v1/open", JSON, "Content-Length: 70000"), "BODY_TOO_LARGE"),
        (request("POST /v1/open", JSON, body=b"{"), "INVALID_JSON"),
        (request("POST /v1/open", JSON, "X-Bindrill-Namespace: \xff", body=b"{}"),
         "INVALID_NAMESPACE"),
        (request("GET /none%ff"), "NOT_FOUND"),
        (b"no HTTP\r\n\r\n", "BAD_REQUEST"),
    ]  # fmt: skip
    for content, code in refusals:
        assert ask(servers, "bank", content)[1]["code"] == code
    entries = servers.get("bank", "/__admin/requests").json["requests"]
    codes = [code for _, code in reversed(refusals)]
    assert [entry["code"] for entry in entries] == [*codes, "00"]
    assert entries[-2]["request"]["path"].startswith("/v1/open?phone=199****0012&x=yyy")
    assert len(entries[-2]["request"]["path"]) < 300
    metrics = servers.get("bank", "/metrics").body.decode()
    assert all(f'code="{code}"' in metrics for code in codes)


def test_who_is_turned_away_pushes_nobody_out_of_the_journal(serve) -> None:
    servers = serve("bank", journal=300)
    servers.open_card("kept")
    for _ in range(400):
        ask(servers, "bank", request("GET /health", host="evil.example"))
    entries = servers.get("bank", "/__admin/requests?limit=1000").json["requests"]
    assert len(entries) == 201
    assert entries[-1]["op"] == "open"


def test_the_journal_keeps_little_of_a_large_request(serve) -> None:
    servers = serve("bank")
    small = {"order_no": "1", "more": {str(n): {} for n in range(10)}}
    large: dict[str, Any] = {"order_no": "2", "more": [{} for _ in range(15_000)]}
    long: dict[str, Any] = {"order_no": "3", "x" * 30_000: "y" * 30_000}
    for body in (small, large, long):
        assert servers.post("bank", "/v1/query", body).status == 200
    third, second, first = servers.get("bank", "/__admin/requests").json["requests"]
    assert first["request"] == small
    assert second["request"] == {"cut": "45025 bytes of JSON, too many to keep"}
    assert len(json.dumps(third["request"])) < 3000


def test_the_admin_api_can_be_reached_while_a_service_refuses(serve) -> None:
    servers = serve()
    admin = servers.stack.admin_url
    assert servers.fault("lender", kind="outage", mode="refuse", duration="1000d").status == 200
    servers.urls["admin"] = admin
    eventually(lambda: is_closed(servers.address("lender")))
    with pytest.raises(ConnectionRefusedError):
        servers.get("lender", "/health")
    assert servers.get("admin", "/").json["services"]["lender"] == servers.urls["lender"]
    [listed] = servers.get("admin", "/lender/__admin/faults").json["faults"]
    assert listed["in_force"]
    evil = request("DELETE /lender/__admin/faults", "Origin: http://evil.example")
    assert ask(servers, "admin", evil)[0] == 403
    cleared = servers.call("admin", "DELETE", "/lender/__admin/faults")
    assert cleared.json == {"cleared": 1}
    eventually(lambda: not is_closed(servers.address("lender")))
    assert servers.get("lender", "/health").status == 200
