"""What the load generator writes down of the answers that customers got."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from loadtests.clock import RunClock
from loadtests.handset import Handset
from loadtests.player import Player
from reports.drills.history import (
    FOLDER,
    Acknowledgement,
    AcknowledgementLog,
    acknowledgement,
    read_acknowledgements,
)
from scenarios.directives import Answer, Directive, Ending, Request

BINDING = "bnd_0123456789abcdef0123456789abcdef"


def ask(op: str, status: int, body: dict[str, Any], code: str, **more: Any) -> Acknowledgement:
    path = {"binding": BINDING} if op not in ("register", "documents", "submit") else {}
    request = Request(op, more.pop("sent", {}), more.pop("path", path))
    return acknowledgement(7, request, Answer(status, body, code), 100.0, 101.5)


@pytest.mark.parametrize(
    ("told", "subject", "state", "outcome"),
    [
        (ask("register", 201, {"applicant_id": "app_1"}, "OK"), "app_1", "REGISTERED", "ok"),
        (
            ask(
                *("documents", 201, {"documents": ["bank_card"]}, "OK"),
                sent={"kind": "bank_card"},
                path={"applicant": "app_1"},
            ),
            *("app_1", "DOCUMENT bank_card", "ok"),
        ),
        (
            ask("submit", 201, {"binding_id": BINDING, "state": "OTP_SENT"}, "OK"),
            *(BINDING, "OTP_SENT", "ok"),
        ),
        (ask("confirm", 202, {"state": "VERIFYING"}, "OK"), BINDING, "VERIFYING", "ok"),
        (
            ask("confirm", 402, {"state": "REJECTED", "error": {}}, "BANK_DECLINED"),
            *(BINDING, "REJECTED", "fail"),
        ),
        (ask("confirm", 423, {"error": {}}, "OTP_LOCKED"), BINDING, "LOCKED", "fail"),
        (ask("confirm", 403, {"error": {}}, "OTP_WRONG"), BINDING, "", "fail"),
        (
            ask("confirm", 503, {"state": "OTP_SENT", "error": {}}, "BANK_UNAVAILABLE"),
            *(BINDING, "OTP_SENT", "fail"),
        ),
        # The commit may have been made all the same.
        (ask("confirm", 503, {"error": {}}, "OVERLOADED"), BINDING, "", "unknown"),
        (ask("test_payment", 0, {}, "TIMEOUT"), BINDING, "", "unknown"),
        (ask("test_payment", 0, {}, "RESET"), BINDING, "", "unknown"),
        (ask("test_payment", 0, {}, "UNREACHABLE"), BINDING, "", "fail"),
        (ask("status", 200, {"state": "no such state"}, "OK"), BINDING, "", "ok"),
    ],
)
def test_an_answer_tells(told: Acknowledgement, subject: str, state: str, outcome: str) -> None:
    assert (told.subject, told.state, told.outcome) == (subject, state, outcome)
    assert (told.customer, told.invoked, told.completed) == (7, 100.0, 101.5)


def test_every_line_is_on_disk_at_once_and_a_torn_one_is_left_out(tmp_path: Path) -> None:
    first = ask("confirm", 200, {"state": "VERIFIED"}, "OK")
    log = AcknowledgementLog(tmp_path, "1")
    log.add(first)
    # The log is still open, as after a kill.
    assert read_acknowledgements(tmp_path) == [first]
    with (tmp_path / FOLDER / "1.jsonl").open("ab") as torn:
        torn.write(b'{"customer":8,"step":"con')
    assert read_acknowledgements(tmp_path) == [first]
    log.close()


def test_two_workers_and_two_lives_are_read_together(tmp_path: Path) -> None:
    late = acknowledgement(
        1, Request("status", path={"binding": "b"}), Answer(200, {}, "OK"), 5.0, 9.0
    )
    early = acknowledgement(
        2, Request("status", path={"binding": "b"}), Answer(200, {}, "OK"), 1.0, 2.0
    )
    for worker, told in (("0", late), ("1", early), ("0", late)):
        with AcknowledgementLog(tmp_path, worker) as log:
            log.add(told)
    assert read_acknowledgements(tmp_path) == [early, late, late]
    (tmp_path / FOLDER / "0.jsonl").write_bytes(b"not json\n")
    with pytest.raises(ValueError, match=r"0\.jsonl, line 1"):
        read_acknowledgements(tmp_path)


def test_the_player_writes_what_it_was_told_in_epoch_seconds() -> None:
    class Lender:
        def exchange(self, *_: Any) -> tuple[int, bytes]:
            return 202, b'{"state": "VERIFYING"}'

    def steps() -> Generator[Directive, Any, Ending]:
        yield Request("confirm", {"otp": "000000"}, {"binding": BINDING})
        return Ending("ABANDONED", "patience")

    told: list[Acknowledgement] = []
    lender: Any = Lender()
    clock, began = RunClock(time.time() - 50), time.time()
    player = Player(
        lender, Handset("http://127.0.0.1:1"), clock, lambda _: None, lambda *_: None, None,
        told.append,
    )  # fmt: skip
    player.play(7, 0.0, steps())
    (one,) = told
    assert (one.customer, one.subject, one.state, one.outcome) == (7, BINDING, "VERIFYING", "ok")
    assert began - 1 <= one.invoked <= one.completed <= time.time() + 1
