from __future__ import annotations

import pytest
from served import CARD, PERSON, Servers

from mocks.server.options import ServeOptions


@pytest.mark.parametrize("service", ["bank", "sms", "payment", "lender"])
def test_every_service_tells_its_health_readiness_metrics_and_contract(
    shared: Servers, service: str
) -> None:
    assert shared.get(service, "/health").json == {"status": "ok", "service": service}
    assert shared.get(service, "/ready").status == 200
    document = shared.get(service, "/openapi.json").json
    assert document["openapi"] == "3.1.0"
    assert "/health" in document["paths"]
    assert "/__admin/faults" in shared.get(service, "/__admin/openapi.json").json["paths"]
    text = shared.get(service, "/metrics").body.decode()
    sample = f'http_requests_total{{code="OK",op="health",service="{service}",status="200"}}'
    assert sample in text
    assert f'http_requests_in_flight{{service="{service}"}} 1.0' in text
    assert "http_request_duration_seconds_bucket" in text
    assert "process_cpu_seconds_total" in text


def test_metrics_count_by_operation_status_and_code(shared: Servers) -> None:
    shared.open_card("metrics-1", card="6216269900000000094", X_Bindrill_Namespace="metrics")
    text = shared.get("bank", "/metrics").body.decode()
    assert 'http_requests_total{code="77",op="open",service="bank",status="200"}' in text


def test_unknown_paths_and_methods_are_answered_in_json(shared: Servers) -> None:
    missing = shared.get("bank", "/nowhere")
    assert (missing.status, missing.error["code"]) == (404, "NOT_FOUND")
    wrong = shared.get("bank", "/v1/open")
    assert (wrong.status, wrong.error["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert wrong.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "INVALID_JSON"),
        (b"[]", 400, "INVALID_JSON"),
        (b"\xff\xfe", 400, "INVALID_JSON"),
        (b'{"order_no": "' + b"x" * 70_000 + b'"}', 413, "BODY_TOO_LARGE"),
    ],
)
def test_bad_bodies_are_told_what_is_wrong(
    shared: Servers, body: bytes, status: int, code: str
) -> None:
    reply = shared.post("bank", "/v1/open", body)
    assert (reply.status, reply.error["code"]) == (status, code)


# ── faults ──────────────────────────────────────────────────────────────────────────────────────


def test_faults_are_set_listed_replaced_and_removed(shared: Servers) -> None:
    space = {"X_Bindrill_Namespace": "fault-crud"}
    several = [
        {"kind": "error", "target": "bank", "code": "03"},
        {"kind": "latency", "target": "bank", "delay": "1ms", "name": "slow", "start": "1h"},
    ]
    listed = shared.call("bank", "POST", "/__admin/faults", several, **space).json["faults"]
    assert [(f["label"], f["in_force"]) for f in listed] == [("error-bank", True), ("slow", False)]
    assert shared.open_card("f-1", **space).json["respCode"] == "03"

    replacement = {"kind": "error", "target": "bank", "code": "05"}
    shared.call("bank", "PUT", "/__admin/faults", replacement, **space)
    listed = shared.get("bank", "/__admin/faults", **space).json["faults"]
    assert sorted(f["label"] for f in listed) == ["error-bank", "slow"]
    assert shared.open_card("f-2", **space).json["respCode"] == "05"

    gone = shared.call("bank", "DELETE", "/__admin/faults/error-bank", **space)
    assert gone.json == {"cleared": 1}
    assert shared.call("bank", "DELETE", "/__admin/faults/error-bank", **space).status == 404
    assert shared.open_card("f-3", **space).json["respCode"] == "00"
    assert shared.call("bank", "DELETE", "/__admin/faults", **space).json == {"cleared": 1}
    assert shared.get("bank", "/__admin/faults", **space).json == {"faults": []}


LATE = {"kind": "latency", "target": "bank", "delay": "1s"}


@pytest.mark.parametrize(
    ("record", "field", "mend"),
    [
        ({"kind": "latensy", "target": "bank"}, "kind", "one of bandwidth, carrier-delay"),
        ({"target": "bank"}, "kind", "one of bandwidth, carrier-delay"),
        ({"kind": "latency", "target": "bank"}, "delay", "missing"),
        ({"kind": "latency", "target": "bank", "delay": "soon"}, "delay", "write 250ms, 30s"),
        ({"kind": "latency", "target": "bank", "delay": "1s", "shar": 1}, "shar", "takes kind"),
        ({"kind": "latency", "target": "sms", "delay": "1s"}, "target", "write target: bank"),
        ([{"kind": "error", "target": "bank"}], "[0].code", "missing"),
        ({**LATE, "delay": "1" * 30_000}, "delay", "is not a duration; write 250ms"),
        ({**LATE, "delay": "20:00"}, "delay", "write 20h for hours and minutes"),
        ({**LATE, "delay": 2**63}, "delay", "write 3650d or less"),
        ({**LATE, "delay": {"p50": 0, "p99": 1}}, "delay", "write p50 above 0"),
        ({**LATE, "duration": "99999999d"}, "duration", "write 3650d or less"),
        ({**LATE, "start": True}, "start", "valid number"),
        ({**LATE, "name": "a\nb"}, "name", "write one line"),
        ({**LATE, "name": "x" * 300}, "name", "at most 200 characters"),
        ({**LATE, "share": "120%"}, "share", "less than or equal to 1"),
        ({**LATE, "first": 1.0}, "first", "valid integer"),
        ({"kind": "network", "between": [[], {}]}, "between.0", "should be"),
        (7, "fault", "an object with a kind"),
    ],
)
def test_a_bad_fault_is_refused_with_its_field_and_the_mend(
    shared: Servers, record: object, field: str, mend: str
) -> None:
    reply = shared.call("bank", "PUT", "/__admin/faults", record)
    assert (reply.status, reply.error["code"], reply.error["field"]) == (
        *(400, "INVALID_FAULT"),
        field,
    )
    assert mend in reply.error["message"]
    assert "\n" not in reply.error["message"]


def test_one_bad_fault_in_a_list_sets_none(shared: Servers) -> None:
    space = {"X_Bindrill_Namespace": "all-or-none"}
    good = {"kind": "error", "target": "bank", "code": "03"}
    records = [good, {"kind": "error", "target": "bank"}]
    assert shared.call("bank", "PUT", "/__admin/faults", records, **space).status == 400
    assert shared.get("bank", "/__admin/faults", **space).json == {"faults": []}


def test_closing_the_port_is_not_for_one_namespace(shared: Servers) -> None:
    reply = shared.fault(
        "bank", kind="outage", mode="refuse", duration="1s", namespace="one-of-many"
    )
    assert (reply.status, reply.error["field"]) == (400, "mode")


# ── journal ─────────────────────────────────────────────────────────────────────────────────────


def test_the_journal_is_masked_newest_first_and_filtered(shared: Servers) -> None:
    space = {"X_Bindrill_Namespace": "journal"}
    shared.open_card("j-1", **space)
    shared.open_card("j-2", **space)
    shared.post("bank", "/v1/query", {"order_no": "j-1"}, **space)
    found = shared.get("bank", "/__admin/requests?namespace=journal").json["requests"]
    orders = [(entry["op"], entry["request"]["order_no"]) for entry in found]
    assert orders == [("query", "j-1"), ("open", "j-2"), ("open", "j-1")]
    assert (found[1]["code"], found[1]["status"]) == ("00", 200)
    whole = shared.get("bank", "/__admin/requests").body.decode()
    for secret in (CARD, PERSON["id_number"], PERSON["phone"], PERSON["name"]):
        assert secret not in whole
    opened = shared.get("bank", "/__admin/requests?namespace=journal&op=open&limit=1").json
    assert [entry["request"]["order_no"] for entry in opened["requests"]] == ["j-2"]
    bad = shared.get("bank", "/__admin/requests?limit=none")
    assert (bad.status, bad.error["field"]) == (400, "limit")
    assert shared.call("bank", "DELETE", "/__admin/requests?namespace=journal").json == {
        "cleared": 3
    }
    assert shared.get("bank", "/__admin/requests?namespace=journal").json["requests"] == []


def test_the_lenders_journal_and_logs_hold_nothing_personal(serve) -> None:
    servers = serve(log_requests=True)
    servers.activated()
    code = servers.read_code()
    journals = [servers.get(name, "/__admin/requests").body.decode() for name in servers.urls]
    logged = servers.log_file.read_text(encoding="utf-8")
    assert '"op":"test_payment"' in journals[-1].replace(" ", "")
    assert '"event":"request"' in logged
    for text in (*journals, logged):
        for secret in (CARD, PERSON["id_number"], PERSON["phone"], PERSON["name"], code):
            assert secret not in text


def test_the_journal_is_bounded(serve) -> None:
    servers = serve("bank", journal=3)
    for number in range(5):
        servers.post("bank", "/v1/query", {"order_no": str(number)})
    found = servers.get("bank", "/__admin/requests").json
    assert found["size"] == 3
    assert [entry["request"]["order_no"] for entry in found["requests"]] == ["4", "3", "2"]


def test_the_journal_can_be_off(serve) -> None:
    servers = serve("bank", journal=0)
    servers.post("bank", "/v1/query", {"order_no": "1"})
    assert servers.get("bank", "/__admin/requests").json == {"size": 0, "requests": []}


# ── namespaces ──────────────────────────────────────────────────────────────────────────────────


def test_namespaces_do_not_see_each_other_and_reset_alone(shared: Servers) -> None:
    one, other = {"X_Bindrill_Namespace": "ns-1"}, {"X_Bindrill_Namespace": "ns-2"}
    for space in (one, other):
        shared.open_card("same-order", **space)
    question = {"order_no": "same-order"}
    assert shared.post("bank", "/v1/query", question).json["respCode"] == "34"
    shared.fault("bank", kind="error", code="03", namespace="ns-1")
    assert shared.open_card("ns-order", **one).json["respCode"] == "03"
    assert shared.open_card("ns-order", **other).json["respCode"] == "00"

    assert shared.call("bank", "POST", "/__admin/reset", **one).json == {"reset": "ns-1"}
    assert shared.post("bank", "/v1/query", question, **one).json["respCode"] == "34"
    assert shared.get("bank", "/__admin/faults", **one).json == {"faults": []}
    assert shared.post("bank", "/v1/query", question, **other).json["origRespCode"] == "00"
    remaining = shared.get("bank", "/__admin/requests?namespace=ns-2").json["requests"]
    assert len(remaining) == 3


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "a/b"])
def test_a_bad_namespace_is_refused(shared: Servers, name: str) -> None:
    reply = shared.open_card("bad-namespace", X_Bindrill_Namespace=name)
    assert (reply.status, reply.error["code"]) == (400, "INVALID_NAMESPACE")


def test_however_many_namespaces_come_the_default_one_is_served(
    serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("mocks.gateway", "mocks.server.admin"):
        monkeypatch.setattr(f"{module}.MAX_NAMESPACES", 3)
    servers = serve("sms")
    text = {"phone": PERSON["phone"], "text": "later"}
    for name in ("default", "a", "b", "c"):
        sent = servers.post("sms", "/v1/send", {**text, "out_id": name}, X_Bindrill_Namespace=name)
        assert sent.json["Code"] == "OK"
    listed = servers.get("sms", "/__admin/namespaces").json
    assert listed["most"] == 3
    assert [row["namespace"] for row in listed["namespaces"]] == ["c", "b", "default"]
    assert all(row["used_at"] > 1e9 and row["faults"] == 0 for row in listed["namespaces"])
    # What was limited in it is forgotten with it, and nothing in the default one is.
    for name, code in (("a", "OK"), ("default", "isv.BUSINESS_LIMIT_CONTROL")):
        sent = servers.post("sms", "/v1/send", {**text, "out_id": "2"}, X_Bindrill_Namespace=name)
        assert sent.json["Code"] == code


# ── feeds and access ────────────────────────────────────────────────────────────────────────────


def test_the_call_feed_goes_on_where_it_was_left(serve) -> None:
    servers = serve("bank")
    servers.open_card("1")
    servers.fault("bank", kind="outage", mode="503", ops=["query"])
    first = servers.get("bank", "/__admin/calls?after=0").json
    servers.post("bank", "/v1/query", {"order_no": "1"})
    second = servers.get("bank", f"/__admin/calls?after={first['next']}").json
    assert [row[1:6] for row in first["calls"]] == [["bank", "open", "pingan", "00", 200]]
    assert [(row[2], row[5], row[7]) for row in second["calls"]] == [("query", 503, "ok")]
    assert second["next"] == 2
    assert first["calls"][0][0] > 1e9


def test_the_timings_feed_says_where_time_went(serve) -> None:
    servers = serve()
    servers.confirmed()
    rows = servers.get("lender", "/__admin/timings?after=0").json["timings"]
    requests = [row for row in rows if row[0] == "request"]
    assert [row[1] for row in requests] == ["register", *["documents"] * 3, "submit", "confirm"]
    confirm = requests[-1]
    total, calls, commits, lines, count = confirm[3:]
    assert count >= 2
    assert 0 < calls < total
    assert 0 < commits < total
    assert total >= calls + commits + lines
    assert [row[1:3] for row in rows if row[0] == "call"] == [["sms", "send"], ["bank", "open"]]


def test_a_token_guards_the_admin_api(serve) -> None:
    servers = serve("bank", admin_token="open-sesame-twice")
    refused = servers.get("bank", "/__admin/faults")
    assert refused.status == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert servers.get("bank", "/__admin/faults", Authorization="Bearer wrong").status == 401
    admitted = servers.get("bank", "/__admin/faults", Authorization="Bearer open-sesame-twice")
    assert admitted.status == 200
    assert servers.get("bank", "/health").status == 200


def test_beyond_loopback_the_admin_api_is_off_without_a_token(
    serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ServeOptions, "on_loopback", property(lambda self: False))
    servers = serve("bank", signing_key="a key of our own")
    refused = servers.get("bank", "/__admin/faults")
    assert (refused.status, refused.error["code"]) == (403, "ADMIN_OFF")
    assert "--admin-token" in refused.error["message"]
