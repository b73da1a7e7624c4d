from __future__ import annotations

import threading
from typing import Any

import pytest
from served import PERSON, Reply, Servers, eventually

PHONE = PERSON["phone"]


def in_flight(servers: Servers) -> int:
    """Requests in flight at the SMS gateway, beside the one that asks."""
    text = servers.get("sms", "/metrics").body.decode()
    sample = next(line for line in text.splitlines() if line.startswith("http_requests_in_flight{"))
    return int(float(sample.rpartition(" ")[2])) - 1


def poll(
    servers: Servers, question: dict[str, Any], **headers: str
) -> tuple[threading.Thread, list]:
    answers: list[Reply] = []

    def ask() -> None:
        answers.append(servers.post("sms", "/handset/inbox", question, **headers))

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, answers


def send(servers: Servers, text: str, **headers: str) -> None:
    body = {"phone": PHONE, "text": text, "out_id": f"out-{text}"}
    assert servers.post("sms", "/v1/send", body, **headers).json["Code"] == "OK"


def test_a_message_wakes_whoever_waits_for_it(serve) -> None:
    servers = serve("sms")
    waiting = [poll(servers, {"phone": PHONE, "seen": 0, "wait": 60}) for _ in range(2)]
    eventually(lambda: in_flight(servers) == 2)
    send(servers, "hello")
    for thread, answers in waiting:
        thread.join(20)
        assert answers[0].json == {"text": "hello", "seen": 1}
    known = servers.post("sms", "/handset/inbox", {"phone": PHONE})
    assert known.json == {"text": "hello", "seen": 1}


def test_another_namespaces_message_wakes_nobody(serve) -> None:
    servers = serve("sms")
    thread, answers = poll(servers, {"phone": PHONE, "wait": 60}, X_Bindrill_Namespace="mine")
    eventually(lambda: in_flight(servers) == 1)
    send(servers, "theirs", X_Bindrill_Namespace="theirs")
    eventually(
        lambda: (
            servers.post(
                "sms", "/handset/inbox", {"phone": PHONE}, X_Bindrill_Namespace="theirs"
            ).status
            == 200
        )
    )
    assert in_flight(servers) == 1
    send(servers, "mine", X_Bindrill_Namespace="mine")
    thread.join(20)
    assert answers[0].json["text"] == "mine"


def test_nothing_newer_is_204(serve) -> None:
    servers = serve("sms")
    assert servers.post("sms", "/handset/inbox", {"phone": PHONE}).status == 204
    send(servers, "one")
    eventually(lambda: servers.post("sms", "/handset/inbox", {"phone": PHONE}).status == 200)
    late = servers.post("sms", "/handset/inbox", {"phone": PHONE, "seen": 1, "wait": 0.05})
    assert (late.status, late.body) == (204, b"")


def test_a_wait_ends_when_the_server_stops(serve) -> None:
    servers = serve("sms")
    thread, answers = poll(servers, {"phone": PHONE, "wait": 60})
    eventually(lambda: in_flight(servers) == 1)
    servers.stop()
    thread.join(20)
    assert answers[0].status == 204


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"phone": "1390000"}, "phone"),
        ({"phone": PHONE, "seen": -1}, "seen"),
        ({"phone": PHONE, "wait": 61}, "wait"),
        ({"phone": PHONE, "wait": "long"}, "wait"),
        ({"phone": PHONE, "wait": True}, "wait"),
        ({"phone": PHONE, "seen": 0.5}, "seen"),
        ({}, "phone"),
    ],
)
def test_a_bad_question_is_refused(shared: Servers, question: dict[str, Any], field: str) -> None:
    reply = shared.post("sms", "/handset/inbox", question)
    assert (reply.status, reply.error["code"]) == (400, "INVALID_FIELD")
    assert reply.error.get("field") == field
