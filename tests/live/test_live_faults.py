"""Windows on a server's clock that began at another moment than the run's."""

from __future__ import annotations

import json

import pytest
from raw_servers import reply

from loadtests.admin import AdminProblem
from loadtests.calls import CallGatherer
from loadtests.faults import post_faults, shifted
from scenarios.faults import parse_fault


def outage(start: float, duration: float | None):
    return parse_fault(
        {"kind": "outage", "target": "bank", "start": start, "duration": duration, "mode": "503"}
    )


@pytest.mark.parametrize(
    ("fault", "by", "window"),
    [
        (outage(10, 5), 1, (11, 5)),  # before the run begins
        (outage(10, 5), -4, (6, 5)),
        (outage(10, 5), -12, (0, 3)),  # in the middle of the window
        (outage(0, None), -12, (0, None)),
    ],
)
def test_window_moves_with_its_zero(fault, by, window):
    moved = shifted(fault, by)
    assert (moved.start, moved.duration) == window
    assert moved.label == fault.label


def test_window_that_has_passed_is_no_fault():
    assert shifted(outage(10, 5), -15) is None


def test_faults_go_to_their_own_target(raw_server):
    bank, sms = raw_server(reply(200, b"{}")), raw_server(reply(200, b"{}"))
    post_faults({"bank": bank.url, "sms": sms.url}, [outage(10, 5)], now=-0.5)
    assert sms.requests == []
    (request,) = bank.requests
    assert request.startswith(b"POST /__admin/faults")
    (record,) = json.loads(request.partition(b"\r\n\r\n")[2])
    assert parse_fault(record) == shifted(outage(10, 5), 0.5)


def test_refused_faults_are_a_problem_that_says_why(raw_server):
    bank = raw_server(reply(400, b'{"error": {"message": "no such operation"}}'))
    with pytest.raises(AdminProblem, match="no such operation"):
        post_faults({"bank": bank.url}, [outage(1, 1)], now=0)


def test_gathered_calls_count_from_the_origin_and_are_taken_once(raw_server):
    pages = [
        b'{"next": 2, "calls": [[105.5, "bank", "open", "ICBC", "00", 200, 0.25, "ok"],'
        b' [106, "bank", "open", "", "HANG", 0, null, "hang"]]}',
        b'{"next": 2, "calls": []}',
    ]

    def manners(connection, request):
        body = pages[0] if b"after=0 " in request else pages[1]
        reply(200, body)(connection, request)

    rows = []
    gatherer = CallGatherer(raw_server(manners).url, 100.0, rows.append)
    gatherer.gather()
    gatherer.gather()
    assert [(row[2], row[3], row[4], row[6], row[8], row[9], row[10]) for row in rows] == [
        ("open", "bank", "ICBC", 5.5, 5.75, 200, "00"),
        ("open", "bank", "", 6.0, float("inf"), 0, "HANG"),
    ]


def test_gateway_that_does_not_answer_is_asked_again_later():
    rows = []
    CallGatherer("http://127.0.0.1:1", 0.0, rows.append).gather()
    assert rows == []
