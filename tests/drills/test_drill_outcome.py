"""What the command line makes of a result: lines, verdict, exit code."""

from __future__ import annotations

import json

import msgspec
import pytest

import bindrill.drill as command
from reports import events
from reports.drills.measured import measured_drills
from reports.drills.result import (
    Agreeing,
    DrillResult,
    Judgement,
    PhaseTime,
    Proof,
    Repair,
    load_result,
)
from reports.recorder import Recorder
from reports.run_folder import RunFolder
from scenarios.ceilings.readings import Reading, ReadingsFile, readings_path
from scenarios.loader import dump

RESULT = DrillResult(
    name="backup-restore",
    title="",
    topology="sqlite-backup",
    state="complete",
    note="",
    started_utc="2026-01-01T00:00:00.000Z",
    fault_at=20.0,
    back_at=25.0,
    rto=5.0,
    rpo=3.5,
    phases=(PhaseTime(phase="detect", seconds=2.0), PhaseTime(phase="act", seconds=3.0)),
    timeline=(),
    proof=Proof(acknowledged=90, lost=("bnd_1",), lost_bindings=1, lost_seconds=3.5),
    reconciliation=Agreeing(
        repairs=(Repair(kind="x", subject="bnd_1", proposal="refund", outcome="done"),),
        left=0,
        charged_fen=80,
        refunded_fen=80,
        conserved=True,
    ),
    judgements=(Judgement(objective="rpo", limit="7 s", measured="3.5 s", met=True),),
    grade=5,
    versions={},
    logs={},
)


def changed(**fields):
    return msgspec.structs.replace(RESULT, **fields)


MISSED = changed(judgements=(Judgement(objective="rpo", limit="1 s", measured="3.5 s", met=False),))


@pytest.fixture
def played(bindrill, tmp_path, monkeypatch):
    """The command, with drills that come out as given, one after the other."""

    def play(*results, options=(), drill="backup-restore", readings=(), everybody=True):
        left = list(results)

        def carried_out(run: RunFolder, **_):
            result = left.pop(0)
            result.save(run.path)
            for reading in readings:
                file = ReadingsFile(readings_path(run.clock_folder("live"), reading.process))
                file.add(reading)
                file.close()
            with Recorder(run.clock_folder("live")) as recorder:
                for number in range(run.record.clocks["live"].planned if everybody else 1):
                    recorder.add(events.arrival(number, 0.1, 0.1))
                    recorder.add(events.end(number, 0.1, 9.0, "ABANDONED", "patience"))
            return result

        monkeypatch.setattr(command, "run_drill", carried_out)
        monkeypatch.setattr(command, "make_evidence", lambda run, **_: run / "evidence")
        outcome = bindrill("drill", drill, "--no-pdf", "--out", tmp_path / "runs", *options)
        return outcome, sorted((tmp_path / "runs").iterdir())

    return play


def test_a_drill_that_met_its_objectives(played):
    outcome, (run,) = played(RESULT)
    assert outcome.code == 0
    for line in (
        "Drill backup-restore: met",
        "  RTO: back after 5.0 s (detect 2.0, act 3.0)",
        "  RPO: 3.5 s; 1 of 90 acknowledged bindings lost",
        "  Books: 1 repairs, 0 differences left, money conserved (80 fen charged, 80 refunded)",
        "  met     rpo 7 s: 3.5 s",
        "  Grade by GB/T 20988-2007 (RTO and RPO alone): 5",
    ):
        assert line in outcome.out.splitlines()
    assert f"Evidence: {run / 'evidence'}" in outcome.out


def test_json_alone_goes_to_standard_output_and_the_rest_beside_it(played):
    outcome, (run,) = played(RESULT, options=("--json",))
    assert json.loads(outcome.out)["run"] == str(run)
    assert f"Evidence: {run / 'evidence'}" in outcome.err


@pytest.mark.parametrize(
    ("result", "code", "verdict"),
    [
        (MISSED, 99, "missed"),
        (changed(state="failed", note="step detect: no alarm"), 97, "failed"),
        (changed(state="interrupted"), 130, "interrupted"),
    ],
)
def test_exit_code_and_verdict_of_the_run(played, result, code, verdict):
    outcome, (run,) = played(result)
    assert outcome.code == code
    assert RunFolder.open(run).record.clocks["live"].verdict == verdict


FULL = Reading(
    process="gateways",
    role="gateways",
    host="here",
    at=13.0,
    seconds=1.0,
    open_files=256,
    file_limit=256,
    origin=0.0,
)


def test_a_drill_in_which_the_testbed_was_the_limit_is_not_judged(played):
    outcome, (run,) = played(RESULT, readings=(FULL,))
    assert outcome.code == 98
    for line in (
        "Drill backup-restore: the testbed was the limit",
        "  Limit: open files of the gateways: 256 of 256 were open, from 12s to 13s",
        "  not judged rpo 7 s: 3.5 s",
    ):
        assert line in outcome.out.splitlines()
    assert RunFolder.open(run).record.clocks["live"].verdict == "limited"
    assert load_result(run).verdict == "limited"
    assert measured_drills(run.parent) == {}  # no measure of the lender


def test_a_drill_at_the_limit_is_judged_if_asked(played):
    outcome, (run,) = played(MISSED, readings=(FULL,), options=("--judge-at-limit",))
    assert outcome.code == 99
    assert "  Limit: open files of the gateways" in outcome.out
    assert "  missed  rpo 1 s: 3.5 s" in outcome.out
    assert load_result(run).verdict == RunFolder.open(run).record.clocks["live"].verdict == "missed"


def test_a_drill_to_which_not_everybody_came_has_failed(played):
    outcome, (run,) = played(RESULT, everybody=False)
    assert outcome.code == 97
    found = load_result(run)
    assert (found.state, found.met) == ("failed", False)
    assert found.note.startswith("only 1 of the ")


def test_repeated_drills_have_seeds_one_after_the_other_and_a_table(played):
    outcome, runs = played(RESULT, MISSED, RESULT, options=("--repeat", 3, "--seed", 7))
    assert outcome.code == 99
    assert sorted(RunFolder.open(run).record.seed for run in runs) == [7, 8, 9]
    table = outcome.out[outcome.out.index("left to reconcile") :].splitlines()
    assert [line.split()[0] for line in table[1:4]] == ["7", "8", "9"]
    assert [line.split()[-1] for line in table[1:4]] == ["met", "missed", "met"]


def test_interrupted_repetition_stops(played):
    outcome, runs = played(RESULT, changed(state="interrupted"), options=("--repeat", 3))
    assert (outcome.code, len(runs)) == (130, 2)


def test_objectives_of_the_scenario_count_too(played, tmp_path):
    file = tmp_path / "strict.yaml"
    shipped = command.load_drill("backup-restore")
    strict = shipped.model_copy(update={"objectives": ("success_rate >= 50%",)})
    file.write_text(dump(strict), encoding="utf-8")
    outcome, (run,) = played(RESULT, drill=file)
    assert outcome.code == 99  # nobody was bound
    assert not load_result(run).met
    assert load_result(run).judgements[-1].objective == "success_rate >= 50%"
