"""Scenarios as files: found by name or path, read with every mistake named, and written back."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from scenarios.arrival_kinds import RecordedArrivals
from scenarios.arrivals import scaled
from scenarios.checks import check
from scenarios.library_index import LIBRARY, drill_names, names
from scenarios.plain_errors import dotted, plain
from scenarios.plain_text import quoted
from scenarios.problems import Problem, ScenarioProblems
from scenarios.schema import LARGEST_SEED, Scenario
from scenarios.sound_part import Kept, sound_part
from scenarios.units import DURATION, RATE, WRITTEN, Form, parse_duration, parse_rate
from scenarios.variants import variant_findings
from scenarios.yaml_source import Where, YamlError, YamlSource

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def resolve(name_or_path: str | Path) -> Path:
    """The file of a shipped scenario's name, or of a path. Raises ScenarioProblems if none."""
    if str(name_or_path) in names():
        return LIBRARY / f"{name_or_path}.yaml"
    path = Path(name_or_path)
    try:
        if path.is_file():
            return path
    except (OSError, ValueError):  # longer than names are, or with a NUL in it
        message = "is no name of a file; write a path"
        raise ScenarioProblems([Problem(quoted(str(path)), 0, "", message)]) from None
    if str(name_or_path) in drill_names():
        message = f"is a drill; carry it out with: bindrill drill {name_or_path}"
        raise ScenarioProblems([Problem(str(name_or_path), 0, "", message)])
    if len(path.parts) > 1 or path.suffix:
        beside = {other.name: other for other in path.parent.glob("*.y*ml")}
        near = [str(beside[name]) for name in get_close_matches(path.name, beside, n=2)]
    else:
        near = get_close_matches(str(name_or_path), names(), n=2, cutoff=0.75)
    what = "there is no such scenario or file"
    if path.exists():
        what = "is a folder; name a file in it" if path.is_dir() else "is no file on a disk"
    hint = f"did you mean {' or '.join(near)}?" if near else f"shipped are {', '.join(names())}"
    message = f"{what}; {hint} (bindrill list shows the shipped ones)"
    raise ScenarioProblems([Problem(str(name_or_path), 0, "", message)])


def load_scenario(path_or_name: str | Path) -> Scenario:
    """Read, validate and check a scenario; a recording's path becomes absolute.

    Raises ScenarioProblems with every mistake in the file.
    """
    path = resolve(path_or_name)
    try:
        source = YamlSource.of(path)
    except YamlError as error:
        raise ScenarioProblems([_problem(path, error)]) from None
    problems = [_problem(path, repeat) for repeat in source.repeated]

    def report(where: Where, message: str) -> None:
        problems.append(Problem(str(path), source.line(where), dotted(where), message))

    scenario: Scenario | None
    kept, broken = Kept(), list[Where]()
    try:
        scenario = Scenario.model_validate(source.data, context=WRITTEN)
    except ValidationError as invalid:
        for detail in invalid.errors(include_url=False):
            where, message = plain(detail, Scenario, source.text)
            report(where, message)
            broken.append(where)
        scenario, kept = sound_part(source.data, broken)
    if scenario is not None:
        scenario = _located(scenario, path)
        for where, message in check(scenario):
            # How many come is known of whole files only: stand-ins have years of time.
            if where != ("arrivals",) or not broken:
                report(kept.original(where), message)
    if scenario is not None and not problems:
        for where, message in variant_findings(scenario, source.text):
            report(where, message)
    if problems or scenario is None:
        raise ScenarioProblems(problems)
    return scenario


def dump(scenario: Scenario) -> str:
    """YAML that loads again as an equal scenario, with every default written out."""
    content = scenario.model_dump(mode="json", exclude_none=True)
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of scenario files, for editors."""
    schema = Scenario.model_json_schema(by_alias=True)
    return {"$schema": _DIALECT, **schema, "title": "Bindrill scenario"}


def override(
    scenario: Scenario,
    *,
    seed: int | None = None,
    duration: str | None = None,
    rate: str | None = None,
) -> Scenario:
    """The scenario with another seed, duration (`30s`) or rate of arrivals (`20/s`).

    `rate` becomes the base rate of a spike, the mean of a ramp, of steps and of a recording, and
    the rate of the rest; the shape stays. Raises ScenarioProblems that name the option.
    """
    problems: list[Problem] = []
    changes: dict[str, Any] = {}
    if seed is not None:
        changes["seed"] = seed
        if seed < 0:
            problems.append(Problem("", 0, "--seed", f"{seed} is below 0; write 0 or more"))
        if seed > LARGEST_SEED:
            message = f"{quoted(seed)} is above {LARGEST_SEED}; write that or less"
            problems.append(Problem("", 0, "--seed", message))
    if duration is not None:
        seconds = _option("--duration", duration, DURATION, parse_duration, problems)
        changes["duration"] = seconds
        if seconds == 0:
            message = f"{duration} is not above 0; write {DURATION.examples}"
            problems.append(Problem("", 0, "--duration", message))
    if rate is not None:
        per_second = _option("--rate", rate, RATE, parse_rate, problems)
        if per_second == 0:
            message = f"{rate} is not above 0; write {RATE.examples}"
            problems.append(Problem("", 0, "--rate", message))
        try:
            changes["arrivals"] = scaled(scenario.arrivals, per_second)
        except ValueError as error:
            problems.append(Problem("", 0, "--rate", str(error)))
    if not problems:
        scenario = scenario.model_copy(update=changes)
        if changes:
            given = [("--duration", duration), ("--rate", rate), ("--seed", seed)]
            option = next((name for name, value in given if value is not None), "")
            problems = [Problem("", 0, option, message) for _, message in check(scenario)]
    if problems:
        raise ScenarioProblems(problems)
    return scenario


def _option(
    name: str, text: str, form: Form, parse: Callable[[str], float], problems: list[Problem]
) -> float:
    """The number that `text` stands for; a stand-in, and one problem more, if it is none."""
    try:
        number = parse(text)
    except ValueError as error:
        problems.append(Problem("", 0, name, str(error)))
        return 1.0
    if number < 0:
        problems.append(Problem("", 0, name, f"{text} is below 0; write {form.examples}"))
    return number


def _problem(path: Path, error: YamlError) -> Problem:
    return Problem(str(path), error.line, dotted(error.path), error.message)


def _located(scenario: Scenario, path: Path) -> Scenario:
    if not isinstance(scenario.arrivals, RecordedArrivals):
        return scenario
    file = (path.parent / scenario.arrivals.file).resolve()
    arrivals = scenario.arrivals.model_copy(update={"file": file})
    return scenario.model_copy(update={"arrivals": arrivals})
