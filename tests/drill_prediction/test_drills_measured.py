"""Measured drills: times fitted to them, and the table beside their predictions."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from bindrill.drill_table import calibrate_drills, measured_table
from bindrill.errors import EXIT_MET, InputProblem
from reports.drills.fit import PRIOR, fit, fitted
from reports.drills.measured import measured_drills, passed_checks
from reports.drills.measured_table import (
    Measured,
    MeasuredRow,
    Span,
    measured_page,
)
from reports.drills.result import DrillResult, PhaseTime, Proof, TimelineEntry
from reports.explained import UNEXPLAINED
from reports.run_folder import RunProblem
from scenarios.distributions import Z99, Delay
from scenarios.drill_calibration import load_drill_calibration

MADE_UP: dict[str, Any] = {
    "name": "backup-restore",
    "title": "",
    "topology": "sqlite-backup",
    "state": "complete",
    "note": "",
    "started_utc": "2026-01-01T00:00:00.000Z",
    "fault_at": 20.0,
    "back_at": 27.0,
    "rto": 7.0,
    "rpo": 2.5,
    "phases": tuple(
        PhaseTime(phase=phase, seconds=seconds)  # type: ignore[arg-type]
        for phase, seconds in
        (("detect", 1.5), ("decide", 2.0), ("act", 2.0), ("warm_up", 0.25), ("back", 1.25))
    ),
    "reconciliation": None,
    "judgements": (),
    "grade": 5,
    "versions": {},
    "logs": {},
}  # fmt: skip


def step(do: str, began: float, ended: float | None, **more: Any) -> TimelineEntry:
    fields: dict[str, Any] = {"role": "heals", "phase": "act", "target": "", "utc": ""} | more
    return TimelineEntry(do=do, began=began, ended=ended, **fields)


def result(*, restore: float = 2.0, **changes: Any) -> DrillResult:
    timeline = (
        step("kill", 20.0, 20.1, role="destroys", target="primary"),
        step("detect", 20.1, 21.5, phase="detect"),
        step("decide", 21.5, 23.5, phase="decide"),
        step("restore", 23.5, 23.5 + restore),
    )
    proof = Proof(acknowledged=90, lost=("B…1",), lost_seconds=2.5, lost_bindings=30)
    return DrillResult(**{**MADE_UP, "timeline": timeline, "proof": proof, **changes})


def keep(runs: Path, name: str, drill: DrillResult) -> None:
    (runs / name).mkdir(parents=True)
    drill.save(runs / name)


# ── fitting ─────────────────────────────────────────────────────────────────────────────────────


def test_many_measured_times_give_back_their_distribution() -> None:
    true = Delay(p50=4.0, p99=9.0)
    uniforms = np.random.default_rng(1).random(4000)
    found = fitted([true.at(float(each)) for each in uniforms], Delay(p50=1.0, p99=100.0))
    assert found.p50 == pytest.approx(true.p50, rel=0.03)
    assert found.p99 == pytest.approx(true.p99, rel=0.08)


def test_one_measured_time_has_the_shipped_spread_and_the_doubt_of_one() -> None:
    found = fitted([8.0], Delay(p50=1.0, p99=3.0))
    assert found.p50 == 8.0
    shipped = math.log(3.0) / Z99
    assert math.log(found.p99 / found.p50) / Z99 == pytest.approx(
        math.sqrt(PRIOR * shipped**2 / PRIOR * 2), rel=1e-3
    )
    assert fitted([0.0], None).p50 == 0.001


def test_actions_and_warm_up_are_fitted_and_the_rest_stays() -> None:
    shipped = load_drill_calibration()
    drills = {"a": result(restore=1.0), "b": result(restore=4.0)}
    found = fit(drills, [0.02] * 9, shipped, "here")
    assert found.actions["restore"].p50 == 2.0
    assert found.actions["kill"].p50 == pytest.approx(0.1, rel=0.01)
    assert found.actions["promote"] == shipped.actions["promote"]
    assert found.warm_up.p50 == 0.25
    assert found.check.p50 == 0.02
    assert (found.runs, found.measured) == (("a", "b"), "here")
    assert not {"detect", "decide"} & found.actions.keys()


def test_an_interrupted_step_is_no_measurement() -> None:
    shipped = load_drill_calibration()
    found = fit({"a": result(timeline=(step("restore", 5.0, None),))}, [], shipped, "here")
    assert found.actions == shipped.actions


def test_restarts_are_told_apart_by_what_was_restarted() -> None:
    timeline = (
        step("restart", 0.0, 1.0, target="lender"),
        step("restart", 1.0, 10.0, target="primary"),
    )
    found = fit({"a": result(timeline=timeline)}, [], load_drill_calibration(), "here").actions
    assert (found["restart lender"].p50, found["restart primary"].p50) == (1.0, 9.0)


# ── the runs folder ─────────────────────────────────────────────────────────────────────────────


def test_only_drills_that_ended_and_were_proven_count(tmp_path: Path) -> None:
    keep(tmp_path, "second", result(started_utc="2026-01-02T00:00:00.000Z"))
    keep(tmp_path, "third", result(started_utc="2026-01-03T00:00:00.000Z"))
    keep(tmp_path, "first", result(started_utc="2026-01-01T00:00:00.000Z"))
    keep(tmp_path, "stopped", result(state="interrupted"))
    keep(tmp_path, "unproven", result(proof=None))
    (tmp_path / "no-drill").mkdir()
    assert list(measured_drills(tmp_path)) == ["first", "second", "third"]
    with pytest.raises(RunProblem, match="is not a folder"):
        measured_drills(tmp_path / "none")


def test_checks_that_passed_are_measured(tmp_path: Path) -> None:
    (tmp_path / "a" / "live").mkdir(parents=True)
    file = tmp_path / "a" / "live" / "probe.jsonl"
    file.write_text(
        '{"at":1.0,"took":0.25,"passed":true}\n{"at":2.0,"took":1.0,"passed":false}\n{"at":3.0,"to'
    )
    assert passed_checks(tmp_path, ["a", "of-before-there-were-checks"]) == [0.25]
    file.write_text("nonsense\n")
    with pytest.raises(RunProblem, match=r"probe\.jsonl cannot be read"):
        passed_checks(tmp_path, ["a"])


def test_calibrate_writes_a_file_that_predicts(tmp_path: Path, capsys: Any) -> None:
    runs, file = tmp_path / "runs", tmp_path / "drills.yaml"
    keep(runs, "a", result(restore=9.0))
    assert calibrate_drills(runs, file) == EXIT_MET
    assert load_drill_calibration(file).actions["restore"].p50 == 9.0
    printed = capsys.readouterr().out
    assert "restore" in printed
    assert "promote" not in printed


def test_calibrate_needs_a_measured_drill(tmp_path: Path) -> None:
    with pytest.raises(InputProblem, match="no drill that went to its end"):
        calibrate_drills(tmp_path, tmp_path / "drills.yaml")
    keep(tmp_path, "a", result())
    with pytest.raises(InputProblem, match="--calibrate: there is no folder"):
        calibrate_drills(tmp_path, tmp_path / "none" / "drills.yaml")


# ── the table ───────────────────────────────────────────────────────────────────────────────────

ROW = MeasuredRow(
    drill="backup-restore",
    topology="sqlite-backup",
    drills=2000,
    recovered=1.0,
    rto=Span(unit="s", p5=5.0, p50=7.0, p95=10.0),
    rpo=Span(unit="s", p5=0.3, p50=2.5, p95=4.9),
    lost=Span(unit="count", p5=8, p50=33, p95=54),
    calibration="here",
    measured=(),
)


def row(**measured: Any) -> MeasuredRow:
    fields: dict[str, Any] = {"run": "r", "rto": 7.0, "rpo": 2.5, "lost": 30, "fitted": False}
    return msgspec.structs.replace(ROW, measured=(Measured(**fields | measured),))


@pytest.mark.parametrize(
    ("measured", "bold"),
    [
        ({}, []),
        ({"rpo": 4.99}, []),  # within what two clocks can tell
        ({"rto": 11.0}, ["**11 s**"]),
        ({"rto": None}, ["**not back**"]),
        ({"rpo": 9.0, "lost": 60}, ["**9 s**", "**60**"]),
    ],
)
def test_what_is_outside_its_interval_stands_bold(
    measured: dict[str, Any], bold: list[str]
) -> None:
    page = measured_page([row(**measured)], {})
    assert page.count("**") == 2 * len(bold)
    for each in bold:
        assert each in page
    assert (UNEXPLAINED in page) == bool(bold)
    assert f"{0 if bold else 1} of 1 measured drills are inside" in page


def test_a_note_explains_only_what_is_outside() -> None:
    notes = {"backup-restore": "the disk\nwas | busy"}
    assert r"the disk was \| busy" in measured_page([row(rto=30.0)], notes)
    assert "busy" not in measured_page([row()], notes)


def test_no_recovery_is_predicted_and_measured_alike() -> None:
    never = msgspec.structs.replace(row(rto=None), rto=None)
    assert never.outside() == 0
    assert measured_page([never], {}).count("not back") == 2
    assert msgspec.structs.replace(row(), rto=None).outside() == 1


def test_drills_that_the_times_were_fitted_to_are_marked() -> None:
    page = measured_page([row(fitted=True)], {})
    assert "7 s°" in page
    assert "For the 1 marked °" in page
    assert "°" not in measured_page([row()], {})


def test_the_table_has_every_drill_and_keeps_earlier_measurements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bindrill.drill_table.DRILLS", 50)
    monkeypatch.setattr("bindrill.drill_table.drill_names", lambda: ["backup-restore"])
    out = tmp_path / "drills-measured.md"
    first, second = tmp_path / "first", tmp_path / "second"
    keep(first, "a", result())
    keep(first, "other", result(name="of-another-team"))
    keep(second, "b", result(rto=500.0))
    (tmp_path / "drills-measured-notes.yaml").write_text("backup-restore: staff were at lunch\n")
    assert measured_table(first, out) == EXIT_MET
    text = out.read_text()
    assert "1 of 1 measured drills are inside" in text
    assert "lunch" not in text
    assert measured_table(second, out) == EXIT_MET
    text = out.read_text()
    assert "1 of 2 measured drills are inside" in text
    assert "staff were at lunch" in text
    (kept,) = msgspec.json.decode(
        (tmp_path / "drills-measured-rows.json").read_bytes(), type=list[MeasuredRow]
    )
    assert [each.run for each in kept.measured] == ["a", "b"]
    # The same runs once more change nothing.
    assert measured_table(second, out) == EXIT_MET
    assert out.read_text() == text


def test_unreadable_rows_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "t-rows.json").write_text("{}")
    (tmp_path / "runs").mkdir()
    with pytest.raises(InputProblem, match="remove it to begin a new table"):
        measured_table(tmp_path / "runs", tmp_path / "t.md")
