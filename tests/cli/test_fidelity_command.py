"""`bindrill fidelity`: real runs of a few seconds, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bindrill import fidelity
from bindrill.errors import InputProblem
from bindrill.kept_rows import notes_file, read_notes, rows_file
from bindrill.run import RunOptions
from reports.fidelity import FidelityRow, Pair
from reports.run_folder import RunFolder
from scenarios.calibration import Calibration
from scenarios.ceilings.met import Met
from scenarios.distributions import Delay
from scenarios.library_index import names
from scenarios.loader import load_scenario

DOCS = Path(__file__).parents[2] / "docs"

TINY = """\
name: NAME
duration: 3s
drain: 60s
seed: 5
arrivals: {kind: constant, rate: 3/s}
journey: {pace: 0.01, otp_wait: 200s, status_poll: 200ms}
world:
  sms: {carrier: {delay: {p50: 50ms, p99: 200ms}}, limits: {minute: 9, hour: 90, day: 90}}
variants:
  - {name: bad, expect: missed, changes: {lender.bank.attempts: 1}}
  - {name: good}
"""


def row(name: str) -> FidelityRow:
    same = Pair(predicted=1.0, measured=1.0, unit="s")
    return FidelityRow(
        scenario=name,
        variant="",
        measured="here",
        customers=1,
        agreement=1.0,
        throughput=same,
        success=same,
        binding=same,
        confirm=same,
        recovery=None,
    )


@pytest.fixture
def calibration(tmp_path: Path) -> Path:
    quick = Delay(p50=0.002, p99=0.005)
    file = tmp_path / "calibration.yaml"
    Calibration(
        measured="this very desk",
        network=quick,
        service={"*": quick},
        commit=quick,
        call_overhead=quick,
    ).save(file)
    return file


def scenario(tmp_path: Path, name: str) -> Path:
    file = tmp_path / f"{name}.yaml"
    file.write_text(TINY.replace("NAME", name))
    return file


@pytest.mark.live
def test_scenarios_are_played_in_both_clocks_and_make_a_table(bindrill, tmp_path, calibration):
    out = tmp_path / "fidelity.md"
    done = bindrill(
        *("fidelity", scenario(tmp_path, "tiny"), "--out", out),
        *("--runs", tmp_path / "runs", "--calibration", calibration),
    )
    assert done.code == 0, done.err
    page = out.read_text()
    (line,) = [line for line in page.splitlines() if line.startswith("| tiny")]
    assert line.startswith("| tiny (good) | 9 |")
    assert "this very desk" in page
    assert [path.name for path in (tmp_path / "runs").rglob("live")] == ["live"]


def test_ctrl_c_keeps_the_finished_rows(bindrill, tmp_path, calibration, monkeypatch):
    playing = iter((row("one"), KeyboardInterrupt()))

    def play(*_: object) -> FidelityRow:
        found = next(playing)
        if isinstance(found, KeyboardInterrupt):
            raise found
        return found

    monkeypatch.setattr(fidelity, "_play", play)
    out = tmp_path / "table.md"
    done = bindrill(
        *("fidelity", scenario(tmp_path, "one"), scenario(tmp_path, "two"), "--out", out),
        *("--runs", tmp_path / "runs", "--calibration", calibration),
    )
    assert done.code == 130
    assert "has the 1 finished ones" in done.out
    assert "| one |" in out.read_text()


def test_a_run_at_the_testbeds_limit_is_no_row(bindrill, tmp_path, calibration, monkeypatch):
    def at_the_limit(_: object, options: RunOptions) -> int:
        run = RunFolder.create(options.out, load_scenario(str(tmp_path / "one.yaml")))
        for clock in ("sim", "live"):
            run.begin(clock)
        full = Met(ceiling="cores", process="the machine", at=1.0, until=12.0, detail="all of 1")
        run.record.clocks["live"].limits = (full,)
        run.save()
        return 98

    monkeypatch.setattr(fidelity, "run_scenario", at_the_limit)
    plain = scenario(tmp_path, "one")
    plain.write_text(plain.read_text().partition("variants:")[0])
    out = tmp_path / "table.md"
    options = ("--out", out, "--runs", tmp_path / "runs", "--calibration", calibration)
    done = bindrill("fidelity", plain, *options)
    assert done.code == 98
    assert "The testbed was the limit, so nothing was compared, in: " in done.out
    assert not out.exists()


def test_rows_of_other_scenarios_stay(bindrill, tmp_path, calibration, monkeypatch):
    monkeypatch.setattr(fidelity, "_play", lambda subject, *_: row(subject.scenario.name))
    out = tmp_path / "table.md"
    options = ("--out", out, "--runs", tmp_path / "runs", "--calibration", calibration)
    for name in ("two", "one", "two"):
        assert bindrill("fidelity", scenario(tmp_path, name), *options).code == 0
    lines = [line for line in out.read_text().splitlines() if line.startswith("| ")]
    assert [line.split(" ")[1] for line in lines[2:]] == ["one", "two"]
    rows_file(out).write_text("no rows")
    done = bindrill("fidelity", scenario(tmp_path, "one"), *options)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "remove it" in done.err


def test_the_library_is_played_but_what_lasts_too_long(
    bindrill, tmp_path, calibration, monkeypatch
):
    played = []

    def play(subject: Any, *_: object) -> FidelityRow:
        played.append(subject.scenario)
        return row(subject.scenario.name)

    monkeypatch.setattr(fidelity, "_play", play)
    done = bindrill(
        *("fidelity", "--out", tmp_path / "table.md"),
        *("--runs", tmp_path / "runs", "--calibration", calibration),
    )
    assert done.code == 0, done.err
    assert "bank-outage" in [scenario.name for scenario in played]
    assert all(scenario.duration <= 90 for scenario in played)


def test_bad_input_is_one_line(bindrill, tmp_path, calibration):
    tiny = scenario(tmp_path, "tiny")
    done = bindrill("fidelity", tiny, "--out", tmp_path / "nowhere" / "table.md")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "there is no folder" in done.err
    assert bindrill("fidelity", "no-such-scenario", "--out", tmp_path / "t.md").code == 2


def test_explanations_are_read_by_scenario(tmp_path):
    file = notes_file(tmp_path / "fidelity.md")
    assert file.name == "fidelity-notes.yaml"
    assert read_notes(file) == {}
    file.write_text("# none yet\n")
    assert read_notes(file) == {}
    file.write_text("retry-storm: it tips at random\n")
    assert read_notes(file) == {"retry-storm": "it tips at random"}
    file.write_text("- retry-storm\n")
    with pytest.raises(InputProblem, match="write lines such as"):
        read_notes(file)


def test_shipped_explanations_are_of_shipped_scenarios():
    assert set(read_notes(DOCS / "fidelity-notes.yaml")) <= set(names())
