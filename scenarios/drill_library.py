"""The shipped drills, by name."""

from __future__ import annotations

from pathlib import Path

import yaml

from scenarios.library_index import Entry
from scenarios.loader import load_scenario
from scenarios.problems import Problem, ScenarioProblems
from scenarios.schema import Scenario

DRILLS = Path(__file__).parent / "drills"


def drills() -> list[Entry]:
    """Every shipped drill in the order of names, without validating them."""
    return [_entry(path) for path in sorted(DRILLS.glob("*.yaml"))]


def drill_names() -> list[str]:
    """The shipped drills' names."""
    return sorted(path.stem for path in DRILLS.glob("*.yaml"))


def load_drill(name_or_path: str | Path) -> Scenario:
    """A shipped drill by its name, or one of a file. Raises ScenarioProblems, also for a scenario
    that is no drill."""
    known = drill_names()
    path = Path(name_or_path)
    if str(name_or_path) in known:
        path = DRILLS / f"{name_or_path}.yaml"
    elif not path.suffix and len(path.parts) == 1 and not path.exists():
        message = f"there is no such drill; write one of {', '.join(known)}, or a file"
        raise ScenarioProblems([Problem(str(name_or_path), 0, "", message)])
    scenario = load_scenario(path)
    if scenario.drill is None:
        message = "is missing: this scenario is no drill; add steps, or play it with bindrill run"
        raise ScenarioProblems([Problem(str(path), 0, "drill", message)])
    return scenario


def _entry(path: Path) -> Entry:
    head = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Entry(path.stem, head["title"], head["description"].strip(), path)
