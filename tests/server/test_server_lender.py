"""The lender over HTTP, with real gateways and a real database."""

from __future__ import annotations

import socket

import pytest
from served import CARD, CONSENT, JPEG, PERSON, Servers, eventually, form


def test_a_card_is_bound_step_by_step(serve) -> None:
    servers = serve()
    applicant = servers.register()
    submitted = servers.submit(applicant)
    assert (submitted.status, submitted.json["state"]) == (201, "OTP_SENT")
    at = f"/v1/bindings/{submitted.json['binding_id']}"
    assert servers.post("lender", f"{at}/confirm", {"otp": "000000"}).status == 403
    confirmed = servers.post("lender", f"{at}/confirm", {"otp": servers.read_code()})
    assert (confirmed.status, confirmed.json["state"]) == (200, "VERIFIED")
    authorised = servers.post("lender", f"{at}/agreement", CONSENT)
    assert (authorised.status, authorised.json["state"]) == (200, "AUTHORISED")
    paid = servers.post("lender", f"{at}/test-payment")
    assert (paid.status, paid.json["state"]) == (200, "ACTIVE")
    binding = servers.get("lender", at).json
    assert binding["state"] == "ACTIVE"
    assert CARD not in str(binding)


def test_a_binding_goes_on_after_a_restart_on_the_same_database(tmp_path) -> None:
    with Servers(tmp_path) as before:
        binding = before.confirmed()
    with Servers(tmp_path) as after:
        at = f"/v1/bindings/{binding}"
        assert after.get("lender", at).json["state"] == "VERIFIED"
        assert after.post("lender", f"{at}/agreement", CONSENT).json["state"] == "AUTHORISED"
        paid = after.post("lender", f"{at}/test-payment")
        assert paid.json["state"] == "ACTIVE"
        again = after.submit(after.register(), key="another-key")
        assert (again.status, again.error["code"]) == (409, "ALREADY_BOUND")


def test_an_idempotency_key_gets_the_first_answer_again(serve) -> None:
    servers = serve()
    applicant = servers.register()
    first = servers.submit(applicant, key="k-1")
    again = servers.submit(applicant, key="k-1")
    assert (again.status, again.json) == (first.status, first.json)
    other = servers.submit(applicant, card="6216269900000000011", key="k-1")
    assert (other.status, other.error["code"]) == (422, "IDEMPOTENCY_MISMATCH")
    for bad in ("k" * 256, "two words", "é"):
        refused = servers.submit(applicant, key=bad)
        assert (refused.status, refused.error["field"]) == (400, "Idempotency-Key")


def test_the_code_limit_tells_when_to_come_back(serve) -> None:
    servers = serve()
    binding = servers.submit(servers.register()).json["binding_id"]
    refused = servers.post("lender", f"/v1/bindings/{binding}/otp")
    assert (refused.status, refused.error["code"]) == (429, "SMS_LIMIT")
    assert refused.headers["Retry-After"] == "60"


# ── uploads ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("picture", "status", "code"),
    [
        (JPEG, 201, None),
        (b"\x89PNG\r\n\x1a\n" + bytes(60_000), 201, None),
        (b"GIF89a" + bytes(60_000), 415, "DOCUMENT_TYPE"),
        (b"%PDF-1.7" + bytes(60_000), 415, "DOCUMENT_TYPE"),
        (JPEG[:5_000], 413, "DOCUMENT_SIZE"),
        (JPEG + bytes(2_000_000), 413, "DOCUMENT_SIZE"),
        (JPEG + bytes(4_200_000), 413, "DOCUMENT_SIZE"),
    ],
)
def test_pictures_are_judged_by_their_bytes(
    shared: Servers, picture: bytes, status: int, code: str | None
) -> None:
    applicant = shared.post("lender", "/v1/applicants", PERSON).json["applicant_id"]
    reply = shared.upload(applicant, picture=picture)
    assert reply.status == status
    assert reply.json.get("error", {}).get("code") == code


def test_a_picture_far_too_large_is_refused_before_it_is_all_read(shared: Servers) -> None:
    with socket.create_connection(shared.address("lender"), timeout=20) as raw:
        head = (
            "POST /v1/applicants/x/documents HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Type: multipart/form-data; boundary=f\r\nContent-Length: 900000000\r\n\r\n"
            '--f\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
        )
        raw.sendall(head.encode())
        try:
            for _ in range(50):
                raw.sendall(bytes(1_000_000))
        except ConnectionError:
            return  # the answer came, and the connection was closed on the rest
        assert b" 413 " in raw.recv(4096)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"", "multipart/form-data; boundary=f", 400),
        (b"--f\r\nno header", "multipart/form-data; boundary=f", 400),
        (b"x", "multipart/form-data", 400),
        (form(file=JPEG)[0], "multipart/form-data; boundary=frontier", 400),
        (form(kind=b"\xff", file=JPEG)[0], "multipart/form-data; boundary=frontier", 400),
        (form(kind=b"k" * 300, file=JPEG)[0], "multipart/form-data; boundary=frontier", 400),
        (form(kind=b"bank_card")[0], "multipart/form-data; boundary=frontier", 415),
    ],
)
def test_broken_forms_are_refused(
    shared: Servers, body: bytes, content_type: str, status: int
) -> None:
    reply = shared.post("lender", "/v1/applicants/x/documents", body, Content_Type=content_type)
    assert reply.status == status, reply.body
    assert reply.error["code"]


@pytest.mark.parametrize("path", ["a%20b", "%00", "x" * 65, "%ED%A0%80"])
def test_impossible_identifiers_are_not_found(shared: Servers, path: str) -> None:
    reply = shared.get("lender", f"/v1/bindings/{path}")
    assert (reply.status, reply.error["code"]) == (404, "NOT_FOUND")


def test_nul_characters_are_refused(shared: Servers) -> None:
    reply = shared.post("lender", "/v1/bindings", b'{"applicant_id": "\\u0000"}')
    assert (reply.status, reply.error["code"]) == (400, "INVALID_FIELD")


# ── faults at the front door ────────────────────────────────────────────────────────────────────


def test_faults_of_the_lender_strike_by_operation(shared: Servers) -> None:
    space = {"X_Bindrill_Namespace": "edge"}
    record = {"kind": "error", "code": "OVERLOADED", "status": 503, "ops": ["status"]}
    shared.fault("lender", **record, namespace="edge")
    struck = shared.get("lender", "/v1/bindings/none", **space)
    assert (struck.status, struck.error["code"]) == (503, "OVERLOADED")
    assert shared.get("lender", "/v1/bindings/none").status == 404
    assert shared.post("lender", "/v1/applicants", PERSON, **space).status in (200, 201)


def test_a_share_strikes_the_same_customers_every_time(serve) -> None:
    servers = serve()

    def struck() -> list[int]:
        servers.call("lender", "POST", "/__admin/reset")
        servers.fault("lender", kind="error", code="OVERLOADED", status=503, share=0.5)
        return [
            servers.get("lender", "/v1/bindings/none", X_Bindrill_Customer=str(number)).status
            for number in range(40)
        ]

    first = struck()
    assert first == struck()
    assert 5 < first.count(503) < 35
    assert set(first) == {503, 404}


def test_an_outage_of_the_lender_cuts_the_connection_before_or_after_the_work(serve) -> None:
    servers = serve()
    servers.fault("lender", kind="outage", mode="reset", ops=["register"], processed=True)
    with pytest.raises(ConnectionResetError):
        servers.post("lender", "/v1/applicants", PERSON)
    servers.call("lender", "DELETE", "/__admin/faults")
    assert servers.post("lender", "/v1/applicants", PERSON).status == 200  # known already
    servers.fault("lender", kind="outage", mode="hang", ops=["register"])
    with pytest.raises(TimeoutError):
        servers.call("lender", "POST", "/v1/applicants", PERSON, timeout=0.3)


def test_work_goes_on_when_the_customer_hangs_up(serve) -> None:
    servers = serve()
    applicant = servers.register()
    servers.fault("sms", kind="latency", delay="400ms")
    with pytest.raises(TimeoutError):
        servers.call(
            *("lender", "POST", "/v1/bindings"),
            {
                "applicant_id": applicant,
                "card_number": CARD,
                "holder": PERSON["name"],
                "id_number": PERSON["id_number"],
                "phone": PERSON["phone"],
            },
            timeout=0.1,
            Idempotency_Key="hung-up",
        )

    def answered() -> bool:
        reply = servers.submit(applicant, key="hung-up")
        return reply.status == 201 and reply.json["state"] == "OTP_SENT"

    eventually(answered)
    sends = [row for row in servers.get("sms", "/__admin/calls").json["calls"] if row[2] == "send"]
    assert len(sends) == 1


# ── partners out of reach, store out of order ───────────────────────────────────────────────────


def test_gateways_that_are_not_there_are_told_as_unavailable(serve) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}"
        gateways = dict.fromkeys(("bank", "sms", "payment"), nowhere)
        servers = serve("lender", gateways=gateways)
        refused = servers.submit(servers.register())
    assert (refused.status, refused.error["code"]) == (503, "SMS_UNAVAILABLE")
    rows = servers.get("lender", "/__admin/timings").json["timings"]
    assert {row[5] for row in rows if row[0] == "call"} == {"UNREACHABLE"}


@pytest.mark.parametrize(("mode", "outcome"), [("reset", "RESET"), ("hang", "TIMEOUT")])
def test_broken_calls_have_their_names(serve, mode: str, outcome: str) -> None:
    servers = serve()
    servers.fault("sms", kind="outage", mode=mode)
    servers.submit(servers.register())
    rows = servers.get("lender", "/__admin/timings").json["timings"]
    assert {row[5] for row in rows if row[0] == "call"} == {outcome}


def test_the_lenders_namespace_reaches_the_gateways(serve) -> None:
    servers = serve(allow_customer_headers=True)
    space = {"X_Bindrill_Namespace": "through"}
    servers.submit(servers.register(), **space)
    assert servers.post("sms", "/handset/inbox", {"phone": PERSON["phone"]}).status == 204
    assert len(servers.read_code(**space)) == 6


def test_customers_choose_no_namespace_and_reset_no_limit(serve) -> None:
    servers = serve()
    applicant = servers.register()
    assert servers.submit(applicant).status == 201
    at = "/v1/bindings"
    for number in range(5):
        refused = servers.submit(applicant, key=f"k{number}", X_Bindrill_Namespace=f"n{number}")
        assert (refused.status, refused.error["code"]) == (403, "CUSTOMER_HEADERS_OFF")
        refused = servers.get("lender", f"{at}/none", X_Bindrill_Namespace="default")
        assert refused.status == 403
    listed = servers.get("sms", "/__admin/namespaces").json["namespaces"]
    assert [row["namespace"] for row in listed] == ["default"]


def test_customers_do_not_name_themselves_to_faults(serve) -> None:
    servers = serve()
    servers.fault(
        "lender", kind="error", code="OVERLOADED", status=503, share="50%", ops=["status"]
    )

    def told() -> list[int]:
        return [
            servers.get("lender", "/v1/bindings/same", X_Bindrill_Customer=name).status
            for name in ("1", "\xff", "x" * 5000, *map(str, range(20)))
        ]

    first = told()
    assert set(first) == {404, 503}
    servers.call("lender", "POST", "/__admin/reset")
    servers.fault(
        "lender", kind="error", code="OVERLOADED", status=503, share="50%", ops=["status"]
    )
    same = [servers.get("lender", "/v1/bindings/same").status for _ in first]
    assert same == first


def test_a_customer_has_a_name_that_can_be_one(serve) -> None:
    servers = serve(allow_customer_headers=True)
    for name in ("\xff", "x" * 65, "a b", ""):
        refused = servers.get("lender", "/v1/bindings/none", X_Bindrill_Customer=name)
        assert (refused.status, refused.error["code"]) == (400, "INVALID_CUSTOMER")


def test_the_lender_is_not_ready_without_its_store(serve) -> None:
    servers = serve()
    assert servers.get("lender", "/ready").status == 200
    servers.stack._store.close()
    assert servers.get("lender", "/ready").status == 503
    assert servers.get("lender", "/health").status == 200
    refused = servers.post("lender", "/v1/applicants", PERSON)
    assert (refused.status, refused.error["code"]) == (503, "OVERLOADED")
