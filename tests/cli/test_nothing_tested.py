"""Commands that would test nothing, or did: one line, and an exit code of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

QUICK = """\
name: quick
duration: 12s
drain: 8s
seed: 5
arrivals: {kind: poisson, rate: 4/s}
journey: {pace: 0.02}
"""
LATE = (
    QUICK
    + """\
faults:
- {kind: outage, target: bank, start: 19900ms, duration: 50ms}
objectives: [success_rate >= 1%]
"""
)


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "quick.yaml"
        path.write_text(text)
        return path

    return write


# ── nobody to play: said before anything starts ─────────────────────────────────────────────────


@pytest.mark.parametrize(
    "options",
    [
        ("--rate", "0.0001/s"),
        ("--duration", "1ms"),
        ("--replications", "40", "--rate", "0.3/s"),
    ],
)
def test_nobody_to_play_is_said_before_the_run(bindrill, written, tmp_path, options):
    outcome = bindrill("run", written(QUICK), "--sim", "--out", tmp_path / "runs", *options)
    assert outcome.code == 2
    assert outcome.err.startswith(f"bindrill: {options[0]}")
    assert "nobody arrives" in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_validate_says_so_too(bindrill, written, tmp_path):
    assert (
        "nobody arrives within 12s"
        in bindrill("validate", written(QUICK.replace("4/s", "1/h"))).err
    )
    (tmp_path / "times.csv").write_text("seconds\n70\n71\n")
    recorded = QUICK.replace("{kind: poisson, rate: 4/s}", "{kind: recorded, file: times.csv}")
    outcome = bindrill("validate", written(recorded))
    assert outcome.code == 2
    assert "the recording's first arrival is not before 12s" in outcome.err


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("{kind: outage, target: bank, start: 3s, duration: 0s}", "strikes nothing"),
        ("{kind: outage, target: bank, start: 20s, duration: 5s}", "but the run ends at 20s"),
        ("{kind: latency, delay: 1s, target: sms, issuer: icbc}", "only the bank sees"),
        ("{kind: latency, delay: 1s, target: bank, issuer: ccb}", "nobody has a card of ccb"),
    ],
)
def test_faults_that_cannot_strike_are_refused(bindrill, written, fault, message):
    text = f"{QUICK}population: {{banks: {{icbc: 1}}}}\nfaults:\n- {fault}\n"
    outcome = bindrill("validate", written(text))
    assert outcome.code == 2
    assert message in outcome.err


def test_capacity_from_a_rate_at_which_nobody_comes(bindrill, written, tmp_path):
    file = written(QUICK + "objectives: [success_rate >= 1%]\n")
    options = ("--sim", "--from", "0.01/s", "--to", "1/s", "--jobs", 1, "--out", tmp_path / "runs")
    outcome = bindrill("capacity", file, *options)
    assert outcome.code == 2
    assert "--from: at 0.01/s nobody would arrive within 12s" in outcome.err


# ── what did not happen ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("options", [(), ("--replications", 3, "--jobs", 1)])
def test_a_fault_that_struck_nothing_fails_the_run(bindrill, written, tmp_path, options):
    out = tmp_path / "runs"
    outcome = bindrill("run", written(LATE), "--sim", "--json", "--out", out, *options)
    assert outcome.code == 97
    told = json.loads(outcome.out)
    assert told["verdict"] == "failed"
    assert "failed: fault outage-bank (from 19.9s" in outcome.err
    (run,) = out.iterdir()
    assert "struck nothing" in (run / "report.html").read_text()
    assert bindrill("report", run).code == 97


def test_a_variant_that_tested_nothing_is_not_as_expected(bindrill, written, tmp_path):
    text = LATE + "variants:\n- {name: plain}\n- {name: other, expect: missed}\n"
    outcome = bindrill("run", written(text), "--sim", "--out", tmp_path / "runs")
    assert outcome.code == 97
    assert "Variants: failed" in outcome.out


def test_strikes_are_counted(bindrill, written, tmp_path):
    text = LATE.replace("start: 19900ms, duration: 50ms", "start: 6s, duration: 3s")
    outcome = bindrill("run", written(text), "--sim", "--json", "--out", tmp_path / "runs")
    assert outcome.code == 0, outcome.err
    (fault,) = json.loads(outcome.out)["clocks"]["sim"]["faults"]
    assert fault["struck"] > 0


PROCESS = """\
faults:
- {kind: outage, target: bank, name: before, start: 2s, duration: 8s}
- {kind: kill, process: gateways, start: 11s, down: 1s}
- {kind: clock-skew, target: lender, ahead: 1s, start: 6s, duration: 2s}
- {kind: network, between: [customer, lender], mode: refused, start: 8s, duration: 1s}
"""


def test_every_kind_of_fault_is_counted_by_whoever_applies_it(bindrill, written, tmp_path):
    outcome = bindrill("run", written(QUICK + PROCESS), "--sim", "--json", "--out", tmp_path)
    assert outcome.code == 0, outcome.err
    faults = json.loads(outcome.out)["clocks"]["sim"]["faults"]
    # "before" too, although the gateways have forgotten it in their next life.
    assert len(faults) == 4
    assert all(fault["struck"] > 0 for fault in faults), faults


def test_a_sweep_over_what_has_no_effect(bindrill, written, tmp_path):
    options = ("--measure", "success_rate", "--jobs", 1, "--out", tmp_path / "runs")
    outcome = bindrill("sweep", written(QUICK), "--vary", "journey.attacker_presses=1,5", *options)
    assert outcome.code == 97
    assert "journey.attacker_presses has no effect here" in outcome.out
    outcome = bindrill("sweep", written(QUICK), "--vary", "journey.pace=0.02,0.03", *options)
    assert outcome.code == 0, outcome.out


def test_a_sweep_whose_fault_never_strikes(bindrill, written, tmp_path):
    options = ("--vary", "arrivals.rate=2/s,4/s", "--measure", "success_rate", "--jobs", 1)
    outcome = bindrill("sweep", written(LATE), *options, "--out", tmp_path / "runs")
    assert outcome.code == 97
    assert "2 of 2 simulations tested nothing: fault outage-bank" in outcome.out


def test_a_calibration_of_nothing(bindrill, written, tmp_path):
    file = tmp_path / "calibration.yaml"
    delay = "{p50: 1ms, p99: 2ms}"
    service = f"{{'*': {delay}}}"
    lines = [f"{name}: {delay}" for name in ("network", "commit", "call_overhead")]
    file.write_text("\n".join(["measured: here", f"service: {service}", *lines]))
    outcome = bindrill("run", written(QUICK), "--live", "--calibration", file)
    assert outcome.code == 2
    assert "is for the simulation, and nothing is simulated" in outcome.err
    file.write_text(file.read_text().replace("'*': ", "confrim: "))
    outcome = bindrill("run", written(QUICK), "--sim", "--calibration", file)
    assert outcome.code == 2
    assert "confrim" in outcome.err
    file.write_text(file.read_text().replace("confrim: ", "confirm: "))
    assert "has no '*'" in bindrill("run", written(QUICK), "--sim", "--calibration", file).err


def test_runs_without_an_ending_are_not_compared(bindrill, written, tmp_path):
    out = tmp_path / "runs"
    nobody_ends = QUICK.replace("drain: 8s", "drain: 0s").replace("duration: 12s", "duration: 1s")
    bindrill("run", written(nobody_ends), "--sim", "--out", out)
    (run,) = out.iterdir()
    outcome = bindrill("compare", run, run)
    assert outcome.code == 97
    assert f"Nothing is compared: no customer ended in {run}" in outcome.out
