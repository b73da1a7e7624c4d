"""Ceilings of real processes: soft limits raised, hard ones met and said, on the way of a run."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scenarios.ceilings.readings import read_readings

pytestmark = pytest.mark.live

CROWD = """\
name: crowd
duration: 3s
drain: 25s
seed: 5
arrivals: {kind: constant, rate: 60/s}
journey: {pace: 0.01, come_back: 0, otp_wait: 4000s, patience: 10h}
population: {typos: {otp: 0}}
world:
  sms: {limits: {minute: 10}, carrier: {delay: 6s, loss: 0}}
objectives: ["success_rate >= 100%", "success_rate <= 0%"]
"""
"""Some 180 customers wait for a code at once, each with a connection; an objective is missed
whatever comes of them."""


def played(folder: Path, soft: int, hard: int, *options: str) -> tuple[Any, dict[str, Any], Path]:
    """The scenario, played under limits of open files."""
    file = folder / "crowd.yaml"
    file.write_text(CROWD)
    command = [sys.executable, "-m", "bindrill", "run", str(file), "--live", "--no-twin", "--json"]
    done = subprocess.run(
        [*command, "--out", str(folder / "runs"), *options],
        capture_output=True,
        text=True,
        timeout=200,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)),
    )
    told = json.loads(done.stdout)
    return done, told, Path(told["run"])


def test_a_soft_limit_limits_nothing(tmp_path: Path) -> None:
    done, told, run = played(tmp_path, 128, 2048)
    assert done.returncode == 99, done.stderr
    assert "limits" not in told
    assert "Warning" not in done.stderr
    # Everybody who came has a connection of their own, and every process may have as many.
    readings = read_readings(run / "live")
    assert {each.process for each in readings} == {
        "bindrill", "gateways", "lender", "load generator"
    }  # fmt: skip
    assert {each.file_limit for each in readings} == {2048}
    assert max(each.open_files for each in readings) > 128
    assert told["clocks"]["live"]["customers"]["ended"] == 180
    assert told["clocks"]["live"]["success_rate"] > 0.9


def test_a_hard_limit_is_said_beforehand_and_met_and_nothing_is_judged(tmp_path: Path) -> None:
    done, told, run = played(tmp_path, 128, 128)
    assert done.returncode == 98, done.stderr
    assert told["verdict"] == "limited"
    ceilings = {(met["ceiling"], met["process"]) for met in told["limits"]["live"]}
    assert ("open files", "the load generator") in ceilings
    warning, verdict, *objectives = [
        line for line in done.stderr.splitlines() if line.startswith(("Warning", "Live", "  "))
    ]
    assert "files open at once, and may have 128" in warning
    assert verdict.startswith("Live run: the testbed was the limit: open files of the ")
    assert "128 of 128 were open" in verdict
    assert "times EMFILE" in verdict
    assert [line[:12] for line in objectives] == ["  not judged"] * 2
    assert "the testbed was the limit" in (run / "report.html").read_text()


def test_objectives_are_judged_at_the_limit_if_asked(tmp_path: Path) -> None:
    done, told, _ = played(tmp_path, 128, 128, "--judge-at-limit")
    assert done.returncode == 99, done.stderr
    assert told["verdict"] == "missed"
    assert told["limits"]["live"][0]["ceiling"] == "open files"
    assert "objectives missed; the testbed was at its limit: open files" in done.stderr
