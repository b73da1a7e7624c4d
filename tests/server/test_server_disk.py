"""A lender whose database finds no room, and a log that finds none."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from served import PERSON, Servers, eventually

from mocks.server import store_watch
from mocks.server.logs import open_log


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """What a full disk is to a file that has to grow."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def events(servers: Servers) -> list[str]:
    lines = servers.log_file.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["event"] for line in lines]


@pytest.mark.parametrize("asked_first", ["a customer", "nobody"])
def test_a_full_disk_is_told_once_and_gone_by_itself(
    serve, monkeypatch: pytest.MonkeyPatch, asked_first: str
) -> None:
    monkeypatch.setattr(store_watch, "PROVE_EVERY", 0.05)
    servers = serve()
    if asked_first == "nobody":
        monkeypatch.setattr(store_watch, "PROOF_HOLDS", 0.0)
    full = (servers.log_file.parent / "lender.db-wal").stat().st_size
    with files_no_larger_than(max(full, 4096)):
        if asked_first == "a customer":
            for _ in range(10):
                refused = servers.post("lender", "/v1/applicants", PERSON)
                assert (refused.status, refused.error["code"]) == (503, "OVERLOADED")
        for _ in range(10):
            ready = servers.get("lender", "/ready")
            assert ready.status == 503
            assert ready.json["reason"] in ("disk I/O error", "database or disk is full")
        assert servers.get("lender", "/health").status == 200
        assert events(servers) == ["started", "store_unavailable"]
    eventually(lambda: servers.get("lender", "/ready").status == 200)
    assert events(servers) == ["started", "store_unavailable", "store_recovered"]
    assert servers.post("lender", "/v1/applicants", PERSON).status == 201


def test_a_log_line_that_finds_no_room_fails_nothing_and_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    log, stream = open_log(file)
    log.info("first", text="x" * 100)
    with files_no_larger_than(file.stat().st_size + 10):
        log.info("second", text="x" * 100)
        log.info("third")
    log.info("fourth")
    stream.close()
    log.info("after the end")
    lines = file.read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0])["event"] == "first"
    told, last = map(json.loads, lines[-2:])
    assert (told["event"], told["count"]) == ("log_lines_lost", 2)
    assert last["event"] == "fourth"
