from __future__ import annotations

import json

import pytest

SHORT = ("--duration", "40s", "--rate", "4/s")


def run_folders(base):
    return sorted(path for path in base.iterdir() if path.is_dir())


def test_same_seed_same_bytes_other_seed_other_bytes(bindrill, tmp_path):
    for seed in (7, 7, 8):
        bindrill("run", "baseline", "--sim", "--seed", seed, *SHORT, "--out", tmp_path)
    first, second, other = (
        (run / "sim" / "summary.json").read_bytes() for run in run_folders(tmp_path)
    )
    assert first == second
    assert first != other


def test_a_run_leaves_verdict_events_summary_and_report(bindrill, tmp_path):
    outcome = bindrill("run", "baseline", "--sim", "--out", tmp_path, "--json")
    told = json.loads(outcome.out)
    (run,) = run_folders(tmp_path)
    assert told["verdict"] == "met"
    assert outcome.code == 0
    assert told["report"] == str(run / "report.html")
    assert (run / "report.html").is_file()
    assert list((run / "sim" / "events").glob("part-*.parquet"))
    assert json.loads((run / "run.json").read_text())["clocks"]["sim"]["verdict"] == "met"
    assert told["clocks"]["sim"]["states"]["ACTIVE"] > 100


def test_missed_objectives_exit_99(bindrill, tmp_path):
    library = bindrill("list").out
    assert "baseline" in library
    file = tmp_path / "strict.yaml"
    file.write_text(
        "name: strict\nduration: 20s\narrivals: {kind: poisson, rate: 3/s}\n"
        "journey: {pace: 0.05}\nobjectives: [p95(confirm) < 1ms]\n"
    )
    outcome = bindrill("run", file, "--sim", "--out", tmp_path / "runs")
    assert outcome.code == 99
    assert "missed" in outcome.out
    (run,) = run_folders(tmp_path / "runs")
    again = bindrill("report", run)
    assert again.code == 99
    assert "missed" in again.out


def test_an_outage_costs_bindings_and_names_its_cause(bindrill, tmp_path):
    outcome = bindrill("run", "bank-outage", "--sim", "--out", tmp_path, "--json")
    summary = json.loads(outcome.out)["clocks"]["sim"]
    worst = summary["causes"][0]
    assert worst["cause"] == "bank_unavailable"
    assert worst["count"] > 20
    (window,) = summary["faults"]
    assert window["before"] > 0.9 > 0.2 > window["during"]


def test_calibration_changes_the_prediction(bindrill, tmp_path):
    calibration = tmp_path / "slow.yaml"
    slow = "{p50: 30ms, p99: 60ms}"
    calibration.write_text(
        f"measured: made up\nnetwork: {slow}\nservice: {{'*': {slow}}}\n"
        f"commit: {slow}\ncall_overhead: {slow}\n"
    )
    medians = []
    for extra in ((), ("--calibration", calibration)):
        outcome = bindrill(
            "run", "baseline", "--sim", "--json", *SHORT, *extra, "--out", tmp_path / "runs"
        )
        medians.append(json.loads(outcome.out)["clocks"]["sim"]["steps"]["register"]["latency"])
    assert medians[1]["p50"] > medians[0]["p50"] + 0.06


def test_runs_are_compared(bindrill, tmp_path):
    for seed in (1, 2):
        bindrill("run", "baseline", "--sim", "--seed", seed, *SHORT, "--out", tmp_path)
    outcome = bindrill("compare", *run_folders(tmp_path))
    assert outcome.code == 0
    assert "throughput" in outcome.out.lower()
    assert "compare.html" in outcome.out


@pytest.mark.parametrize("scenario", ["sms-delay", "flash-crowd"])
def test_shipped_scenarios_meet_their_objectives(bindrill, tmp_path, scenario):
    assert bindrill("run", scenario, "--sim", "--out", tmp_path).code == 0
