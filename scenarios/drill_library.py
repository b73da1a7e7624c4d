"""Drills as files: found by name or path."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from scenarios.library_index import DRILLS, drill_names, drills
from scenarios.loader import load_scenario
from scenarios.problems import Problem, ScenarioProblems
from scenarios.schema import Scenario

__all__ = ["drill_names", "drills", "load_drill", "load_shipped"]


def load_drill(name_or_path: str | Path) -> Scenario:
    """A shipped drill by its name, or one of a file. Raises ScenarioProblems, also for a scenario
    that is no drill."""
    path = Path(name_or_path)
    if str(name_or_path) in drill_names():
        path = DRILLS / f"{name_or_path}.yaml"
    elif not path.suffix and len(path.parts) == 1 and not path.exists():
        raise ScenarioProblems([Problem(str(name_or_path), 0, "", _unknown(str(name_or_path)))])
    scenario = load_scenario(path)
    if scenario.drill is None:
        message = "is missing: this scenario is no drill; add steps, or play it with bindrill run"
        raise ScenarioProblems([Problem(str(path), 0, "drill", message)])
    return scenario


def load_shipped(name_or_path: str | Path) -> Scenario:
    """A scenario or a drill, by name or path. Raises ScenarioProblems."""
    if str(name_or_path) in drill_names():
        return load_drill(name_or_path)
    return load_scenario(name_or_path)


def _unknown(name: str) -> str:
    near = get_close_matches(name, drill_names(), n=2)
    hint = f"did you mean {' or '.join(near)}?" if near else f"write {', '.join(drill_names())}"
    return f"there is no such drill or file; {hint} (bindrill drill lists them)"
