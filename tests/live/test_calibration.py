from __future__ import annotations

import numpy as np
import pytest

from loadtests.calibration import TooFewMeasurements, calibration
from reports import events
from reports.recorder import Recorder
from scenarios.calibration import load_calibration
from scenarios.problems import ScenarioProblems

COUNT = 2000


def measured_run(folder, stalls=0):
    """A run whose times are known: service 2 ms, commit 3 ms, overhead 1 ms, network 4 ms."""
    rng = np.random.default_rng(3)
    rows = []
    with Recorder(folder) as recorder:
        for number in range(COUNT):
            service, commit = (m * np.exp(0.4 * rng.standard_normal()) for m in (0.002, 0.003))
            commit = 2.0 if number < stalls else commit
            bank = 0.1 * np.exp(0.5 * rng.standard_normal())
            call = bank + 0.001
            total = service + commit + call
            rows.append(["request", "confirm", number, total, call, commit, 0.0, 1])
            rows.append(["call", "bank", "open", number, call, "OK"])
            recorder.add(
                events.request(number, "confirm", 1, 0, 0, float(total) + 0.004, 200, "OK")
            )
            recorder.add(events.call("bank", "open", "icbc", 0, float(bank), 200, "00"))
    return rows


@pytest.mark.parametrize("stalls", [0, 15])
def test_known_times_are_found_again(tmp_path, stalls):
    found = calibration(measured_run(tmp_path, stalls), tmp_path, "made up")
    assert found.service["confirm"].p50 == pytest.approx(0.002, rel=0.1)
    assert found.service["confirm"].p99 == pytest.approx(0.002 * np.exp(0.4 * 2.326), rel=0.15)
    assert found.commit.p50 == pytest.approx(0.003, rel=0.1)
    assert found.commit.p99 < 0.02
    assert found.call_overhead.p50 == pytest.approx(0.001, rel=0.2)
    assert found.network.p50 == pytest.approx(0.004, rel=0.2)


def test_a_calibration_file_loads_again(tmp_path):
    found = calibration(measured_run(tmp_path), tmp_path, "made up")
    found.save(tmp_path / "calibration.yaml")
    assert load_calibration(tmp_path / "calibration.yaml") == found


def test_too_short_a_run_is_refused(tmp_path):
    rows = measured_run(tmp_path)
    with pytest.raises(TooFewMeasurements, match="--duration"):
        calibration(rows[:6], tmp_path, "made up")


def test_a_broken_calibration_file_is_told_with_line_and_mend(tmp_path):
    file = tmp_path / "calibration.yaml"
    for text in ("measured: [", "measured: x\nnetwork: 3s\n", "- 1\n"):
        file.write_text(text)
        with pytest.raises(ScenarioProblems) as caught:
            load_calibration(file)
        for line in str(caught.value).splitlines():
            assert line.startswith(f"{file}:1: ")
            assert "write" in line or "check" in line
