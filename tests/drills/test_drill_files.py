"""The shipped drills, and mistakes in a drill's file."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.drill_library import drill_names, load_drill
from scenarios.loader import dump, load_scenario
from scenarios.problems import ScenarioProblems

NAMES = {
    "async-failover", "backup-restore", "corrupt-page", "disk-full", "fail-back", "key-loss",
    "lagging-standby", "old-backup", "peak-load", "point-in-time", "site-loss", "split-brain",
    "sync-failover",
}  # fmt: skip

HEAD = """\
name: trial
duration: 30s
drain: 10s
arrivals: {kind: poisson, rate: 5/s}
"""
SQLITE = "topology: {kind: sqlite-backup}\n"
KILL = "    - {do: kill, target: primary, at: 20s}\n"


def test_all_drills_are_shipped():
    assert set(drill_names()) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_is_sound_states_objectives_and_survives_a_round_trip(name, tmp_path):
    scenario = load_drill(name)
    assert scenario.name == name
    assert scenario.title
    assert scenario.description
    assert scenario.drill.objectives.rto is not None
    assert scenario.drill.objectives.grade is not None
    file = tmp_path / "again.yaml"
    file.write_text(dump(scenario), encoding="utf-8")
    assert load_scenario(file) == scenario


MISTAKES = {
    "step that the topology lacks": (
        SQLITE + "drill:\n  steps:\n" + KILL + "    - do: promote\n",
        9, "drill.steps[1].do", "promote needs topology postgres-standby or two-sites",
    ),
    "party that the topology lacks": (
        SQLITE + "drill:\n  steps:\n    - {do: kill, target: standby, at: 5s}\n",
        8, "drill.steps[0].target", "sqlite-backup has no standby to kill",
    ),
    "time that goes backwards": (
        SQLITE + "drill:\n  steps:\n" + KILL + "    - {do: restore, at: 10s}\n",
        9, "drill.steps[1].at", "10s is before the step above it, at 20s",
    ),
    "step after the end": (
        SQLITE + "drill:\n  steps:\n" + KILL + "    - {do: restore, at: 50s}\n",
        9, "drill.steps[1].at", "50s is after the run, which ends at 40s",
    ),
    "no topology": (
        "drill:\n  steps:\n" + KILL,
        7, "drill.steps[0].do", "this one is single",
    ),
    "nothing is destroyed": (
        SQLITE + "drill:\n  steps:\n    - {do: restore, at: 5s}\n",
        6, "drill", "steps destroy nothing",
    ),
    "table that is none": (
        SQLITE + "drill:\n  steps:\n    - {do: delete-table, table: users, at: 5s}\n",
        8, "drill.steps[0].table", "bindings",
    ),
    "process fault beside the steps": (
        SQLITE + "drill:\n  steps:\n" + KILL
        + "faults:\n  - {kind: kill, process: lender, start: 5s, down: 2s}\n",
        10, "faults[0].kind", "a drill strikes processes in its steps",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_mistake_is_one_line_with_its_place(case, tmp_path: Path):
    text, line, field, words = MISTAKES[case]
    file = tmp_path / "trial.yaml"
    file.write_text(HEAD + text, encoding="utf-8")
    with pytest.raises(ScenarioProblems) as raised:
        load_scenario(file)
    found = [str(problem) for problem in raised.value.problems]
    assert len(found) == 1, found
    assert f"trial.yaml:{line}: {field}: " in found[0]
    assert words in found[0]
