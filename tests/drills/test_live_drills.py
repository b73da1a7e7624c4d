"""Whole drills on loopback: real servers, real databases, real damage."""

from __future__ import annotations

import os
import re
import signal
from datetime import datetime

import msgspec
import pytest
from quick_drills import carried_out, quick

from loadtests.drill import run as drill_run
from loadtests.drill.probe import Check
from loadtests.postgres.installation import find_installation
from loadtests.process import StackProblem
from loadtests.stack import Stack
from loadtests.topologies.shipping import find_litestream
from reports.drills.books import masked
from reports.drills.history import read_acknowledgements
from reports.drills.result import load_result

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("nothing_stays")]

RESTORE = [
    {"do": "kill", "target": "primary", "at": 3.0},
    {"do": "detect"},
    {"do": "decide"},
    {"do": "restore"},
]


def postgres_or_skip():
    try:
        find_installation()
    except StackProblem as problem:
        pytest.skip(str(problem))


def epoch(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_what_a_restored_backup_lacks_is_named_and_no_more(tmp_path):
    # The third newest is at least twice the interval old.
    steps = [{"do": "kill", "target": "primary", "at": 4.0}, *RESTORE[1:3]]
    often = {"kind": "sqlite-backup", "backup_every": 0.5, "keep": 100}
    scenario = quick([*steps, {"do": "restore", "older": 2}], often, duration=8.0)
    folder, result = carried_out(scenario, tmp_path / "runs")
    assert result.state == "complete", result.note
    assert [entry.do for entry in result.timeline] == ["kill", "detect", "decide", "restore"]
    kill, restore = result.timeline[0], result.timeline[-1]
    struck_at = epoch(kill.utc)
    as_of = epoch(re.search(r"as of (\S+Z)", restore.detail).group(1))
    # The data is as old as the backup: what was told before it is there, what came later is not.
    proof = result.proof
    assert proof.lost_seconds - 0.1 <= struck_at - as_of <= proof.kept_seconds + 0.3
    told = [a for a in read_acknowledgements(folder / "live") if a.tells and a.outcome == "ok"]
    before = {masked(a.subject) for a in told if a.completed < as_of}
    after = {masked(a.subject) for a in told if a.completed >= as_of}
    assert before - after
    assert not (before - after) & set(proof.lost)
    new = {
        masked(a.subject)
        for a in told
        if a.step == "submit" and a.invoked > as_of + 0.2 and a.completed < struck_at
    }
    assert new
    assert new <= set(proof.lost)
    if result.rto is not None:  # a slow machine may not see three good seconds before the end
        assert sum(each.seconds for each in result.phases) == pytest.approx(result.rto, abs=0.01)
    assert result.reconciliation.left == 0
    assert result.reconciliation.conserved
    assert load_result(folder) == result
    assert {"live/logs/lender.log", "live/probe.jsonl"} <= set(result.logs)


def test_what_was_shipped_before_an_operators_error_is_there_again(tmp_path):
    try:
        find_litestream()
    except StackProblem as problem:
        pytest.skip(str(problem))
    topology = {"kind": "sqlite-backup", "backup_every": 600.0, "ship_every": 0.1}
    steps = [{"do": "delete-table", "table": "bindings", "at": 4.0}, *RESTORE[1:]]
    folder, result = carried_out(quick(steps, topology), tmp_path / "runs")
    assert result.state == "complete", result.note
    assert result.timeline[-1].detail.startswith("the shipped log up to ")
    told = [a for a in read_acknowledgements(folder / "live") if a.tells and a.outcome == "ok"]
    long_before = {masked(a.subject) for a in told if a.completed < epoch(result.timeline[0].utc)}
    # The only backup is from before the first customer: without the log all would be lost.
    assert long_before - set(result.proof.lost)
    assert result.reconciliation.left == 0


def test_full_disk_and_lost_keys_cost_nothing_that_was_acknowledged(tmp_path):
    steps = [
        {"do": "fill-disk", "at": 2.0},
        {"do": "detect"},
        {"do": "free-disk"},
        {"do": "lose-key", "how": "missing"},
        {"do": "restore-key"},
        {"do": "lose-key", "how": "wrong"},
        {"do": "restore-key"},
    ]
    _, result = carried_out(quick(steps), tmp_path / "runs")
    assert result.state == "complete", result.note
    # A lender without its keys does not start, and does not make new ones.
    missing, wrong = (entry.detail for entry in result.timeline if entry.do == "lose-key")
    assert "No such file" in missing
    assert "is not this database's" in wrong
    assert result.proof.acknowledged > 0
    assert result.proof.lost == ()
    assert result.proof.reordered == ()


# ── PostgreSQL ──────────────────────────────────────────────────────────────────────────────────

STANDBY = {"kind": "postgres-standby", "synchronous": True}


def test_split_brain_after_synchronous_failover_neither_loses_nor_writes_twice(tmp_path):
    postgres_or_skip()
    steps = [
        {"do": "freeze", "target": "primary", "at": 3.0},
        {"do": "detect"},
        {"do": "promote"},
        {"do": "revive-primary"},
    ]
    folder, result = carried_out(quick(steps, STANDBY), tmp_path / "runs")
    assert result.state == "complete", result.note
    revived = result.timeline[-1]
    assert "fenced; a client's write is refused" in revived.detail
    assert result.proof.acknowledged > 0
    assert result.proof.lost == ()
    assert result.proof.reordered == ()
    # The lender goes on by itself, on the new primary.
    checks = (folder / "live" / "probe.jsonl").read_bytes().splitlines()
    last = msgspec.json.decode(checks[-1], type=Check)
    assert last.passed
    assert last.at > epoch(revived.utc)
    assert {"live/logs/primary.log", "live/logs/standby.log"} <= set(result.logs)
    assert "postgresql" in result.versions


def test_what_an_asynchronous_standby_never_got_is_named(tmp_path):
    postgres_or_skip()
    steps = [
        {"do": "cut-replication", "at": 1.5},
        {"do": "kill", "target": "primary", "at": 4.5},
        {"do": "detect"},
        {"do": "promote"},
    ]
    topology = {"kind": "postgres-standby", "synchronous": False}
    folder, result = carried_out(quick(steps, topology), tmp_path / "runs")
    assert result.state == "complete", result.note
    cut, kill = result.timeline[:2]
    assert result.fault_at == kill.began  # nobody felt the cut
    told = [a for a in read_acknowledgements(folder / "live") if a.tells and a.outcome == "ok"]
    never_sent = {
        masked(a.subject)
        for a in told
        if a.step == "submit"
        and a.invoked > epoch(cut.utc) + cut.ended - cut.began
        and a.completed < epoch(kill.utc)
    }
    assert never_sent
    assert never_sent <= set(result.proof.lost)
    assert result.proof.lost_seconds > 0
    assert result.reconciliation.conserved


# ── interrupted ─────────────────────────────────────────────────────────────────────────────────


def begun(result, do):
    return any(entry.do == do for entry in result.timeline)


def interrupted(scenario, base, **options):
    folder, result = carried_out(scenario, base, **options)
    assert result.state == "interrupted"
    assert load_result(folder) == result
    return result


def test_interrupted_once_something_is_destroyed_leaves_nothing(tmp_path):
    base = tmp_path / "runs"

    def on_progress(progress):
        (folder,) = base.iterdir()
        if begun(load_result(folder), "kill"):
            os.kill(os.getpid(), signal.SIGINT)

    result = interrupted(quick(RESTORE), base, on_progress=on_progress)
    assert result.proof is None
    assert all(entry.utc for entry in result.timeline)


def test_interrupted_at_the_start_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(stack, name, database, **_):
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Stack, "start_lender", interrupt)
    assert interrupted(quick(RESTORE), tmp_path / "runs").timeline == ()


def test_interrupted_in_the_proof_keeps_what_was_measured(tmp_path, monkeypatch):
    def interrupt(*_):
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(drill_run, "prove", interrupt)
    steps = [{"do": "kill", "target": "lender", "at": 1.0}, {"do": "restart", "target": "lender"}]
    result = interrupted(quick(steps, duration=2.0), tmp_path / "runs")
    assert result.fault_at is not None
    assert all(entry.ended is not None for entry in result.timeline)


def test_interrupted_failover_leaves_nothing(tmp_path):
    postgres_or_skip()
    base = tmp_path / "runs"

    def on_progress(progress):
        (folder,) = base.iterdir()
        if begun(load_result(folder), "promote"):
            os.kill(os.getpid(), signal.SIGINT)

    steps = [{"do": "kill", "target": "primary", "at": 1.0}, {"do": "promote"}]
    interrupted(quick(steps, STANDBY), base, on_progress=on_progress)


def test_a_step_that_cannot_be_done_fails_the_drill_with_its_name(tmp_path):
    steps = [{"do": "freeze", "target": "lender", "at": 0.2}, {"do": "thaw", "target": "lender"},
             {"do": "detect", "timeout": 0.5}]  # fmt: skip
    _, result = carried_out(quick(steps, duration=2.0), tmp_path / "runs")
    assert result.state == "failed"
    assert result.note.startswith("step detect: the health check raised no alarm")
    assert not result.met
