"""`bindrill plan` as people call it: a whole plan twice, and bad input in one clear line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from plan_basis import WORLD

from bindrill import cli
from scenarios.prices import PRICES, TODAY


def bindrill(*arguments: str | Path) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        cli.app([str(argument) for argument in arguments], standalone_mode=False)
    return int(ended.value.code or 0)


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    file = tmp_path / "small.yaml"
    world: dict[str, Any] = WORLD | {
        "duration": "8s",
        "drain": "3s",
        "arrivals": {"kind": "poisson", "rate": "6/s"},
        "journey": {"pace": 0.01, "status_poll": "500ms", "otp_wait": "500s"},
        "world": {
            "network": "1ms",
            "bank": {"latency": {"open": "20ms", "query": "10ms"}},
            "sms": {
                "latency": {"send": "10ms"},
                "carrier": {"delay": "20ms", "loss": "0%", "duplicate": "0%"},
                "limits": {"minute": 20, "hour": 100, "day": 100},
            },
            "payment": {
                "latency": {"charge": "20ms", "refund": "20ms", "query": "10ms"},
                "notifications": {"delay": "20ms", "speedup": 1000},
            },
            "lender": {"service": {"*": "12ms"}, "commit": "1ms", "workers": 200},
        },
    }
    file.write_text(yaml.safe_dump(world), encoding="utf-8")
    return file


def test_a_whole_plan_twice_gives_the_same_bytes(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def plan(folder: str) -> tuple[int, Path]:
        code = bindrill(
            "plan", scenario, "--start", "90000/day", "--growth", "6%", "--months", "4",
            "--duration", "4s",
            "--first", "2027-01", "--replications", "2", "--jobs", "1", "--confirm", "1",
            "--lang", "zh", "--json", "--out", tmp_path / folder,
        )  # fmt: skip
        [made] = (tmp_path / folder).iterdir()
        return code, made

    code, one = plan("a")
    printed = json.loads(capsys.readouterr().out)
    assert code == 0
    assert printed["report"] == str(one / "plan.html")
    assert [month["month"] for month in printed["plan"]["months"]] == [
        "2027-01",
        "2027-02",
        "2027-03",
        "2027-04",
    ]
    assert len(printed["plan"]["confirmations"]) == 2
    _, other = plan("b")
    assert "容量规划" in capsys.readouterr().out or (other / "plan.html").is_file()
    for name in ("plan.json", "plan.csv", "plan.parquet", "plan.html"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def changed(folder: Path, original: Path, old: str, new: str) -> Path:
    text = original.read_text(encoding="utf-8")
    assert old in text
    file = folder / original.name
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--demand: is missing; give a forecast, or --start 2000/day"),
        (("--start", "2000"), "--start: '2000' is not a rate; write 2000/day"),
        (("--start", "0/day"), "--start: 0/day is not above 0"),
        (("--start", "2000/day", "--growth", "lots"), "--growth: 'lots' is not a share"),
        (("--start", "2000/day", "--first", "May"), "--first: 'May' is not a month"),
        (("--start", "2000/day", "--headroom", "-1%"), "--headroom: -1% is not between 0%"),
        (("--start", "2000/day", "--degraded", "0%"), "--degraded: 0% is not between 1%"),
        (("--start", "2000/day", "--uncertainty", "x"), "--uncertainty: 'x' is not a share"),
        (("--start", "2000/day", "--lang", "fr"), "--lang fr: write one of en, zh"),
        (("--start", "2000/day", "--duration", "0s"), "--duration: 0s is not above 0"),
        (("--start", "2000/day", "--prices", "none.yaml"), "none.yaml: there is no such file"),
        (("--start", "2000/day", "--capacity", "none/capacity.json"), "holds no capacity.json"),
        (("--start", "2000/day", "--capacity", "other.json"), "other.json is not a capacity.json"),
    ],
)
def test_bad_options_are_one_line(
    arguments: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bindrill("plan", "baseline", *arguments, "--out", tmp_path / "runs") == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_a_capacity_without_live_measures_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capacity: dict[str, Any] = {
        "scenario": "flash-crowd", "title": "", "seed": 1, "duration": 60, "own_rate": 6,
        "precision": 0.05, "objectives": [], "started": "", "command": "", "machine": {},
        "calibration": "", "limits": [],
    }  # fmt: skip
    arguments = ("plan", "baseline", "--start", "2000/day", "--capacity", tmp_path)
    (tmp_path / "capacity.json").write_text(json.dumps(capacity), encoding="utf-8")
    assert bindrill(*arguments) == 2
    assert "is of flash-crowd; give one of" in capsys.readouterr().err
    capacity["scenario"] = "baseline"
    (tmp_path / "capacity.json").write_text(json.dumps(capacity), encoding="utf-8")
    assert bindrill(*arguments) == 2
    assert "holds no live measures" in capsys.readouterr().err


def test_demand_and_start_exclude_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "forecast.csv"
    file.write_text("month,applications\n2027-01,5\n", encoding="utf-8")
    assert bindrill("plan", "baseline", "--demand", file, "--start", "2000/day") == 2
    assert "goes with --growth, not with --demand" in capsys.readouterr().err


def test_a_bad_row_is_named_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "forecast.csv"
    file.write_text("month,applications\n2027-01,5\n2027-02,-1\n", encoding="utf-8")
    assert bindrill("plan", "baseline", "--demand", file) == 2
    assert f"{file}:3: applications: -1 is below 0; write 0 or more" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "original", "old", "new", "said"),
    [
        ("--prices", PRICES, "node_month:", "node_moth:", "did you mean node_month?"),
        ("--prices", PRICES, "each: 4.5", "each: -4.5", "sms.each: -4.5 is below 0"),
        ("--prices", PRICES, "{name: medium, commits: 1500/s", "{name: medium, commits: 400/s",
         "medium takes no more than small; list classes rising"),
        ("--prices", PRICES, "step: 10/s", "step: 10", "10 has no unit; write 10/s"),
        ("--today", TODAY, "nodes: 2", "nodes: 0", "nodes: 0 is below 1"),
        ("--today", TODAY, "used_gb: 60", "used: 60", "there is no such field"),
    ],
)  # fmt: skip
def test_bad_settings_are_named_with_file_line_and_mend(
    option: str,
    original: Path,
    old: str,
    new: str,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = changed(tmp_path, original, old, new)
    code = bindrill("plan", "baseline", "--start", "2000/day", option, file)
    assert code == 2
    error = capsys.readouterr().err
    assert said in error
    assert f"bindrill: {file}:" in error
    assert all(line.startswith(f"bindrill: {file}:") for line in error.splitlines())


def test_objectives_that_never_hold_are_a_problem(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = scenario.read_text(encoding="utf-8").replace(
        "p95(confirm) < 400ms", "p95(confirm) < 1ms"
    )
    scenario.write_text(text, encoding="utf-8")
    code = bindrill(
        "plan", scenario, "--start", "2000/day", "--replications", "2", "--jobs", "1",
        "--duration", "2s",
        "--out", tmp_path / "runs",
    )  # fmt: skip
    assert code == 2
    assert "holds the objectives at no rate" in capsys.readouterr().err
