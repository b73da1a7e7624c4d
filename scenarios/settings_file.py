"""Small YAML files beside scenarios, such as prices and calibrations: written, and read with every
mistake named."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError

from scenarios.plain_errors import dotted, plain
from scenarios.problems import Problem, ScenarioProblems
from scenarios.section import Section
from scenarios.units import WRITTEN
from scenarios.whole_file import write_whole
from scenarios.yaml_source import Where, YamlError, YamlSource

S = TypeVar("S", bound=Section)


def save_settings(path: Path, settings: Section) -> None:
    """Write the file that `load_settings` reads. Raises OSError, which
    names it."""
    content = settings.model_dump(mode="json")
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    write_whole(path, text.encode())


def load_settings(path: Path, kind: type[S], written_by: str = "") -> S:
    """Read a file of `kind`. Raises ScenarioProblems with every mistake, its line and the mend; to
    a missing file that is the command that it is `written_by`, where one does."""
    try:
        source = YamlSource.of(path)
    except YamlError as error:
        raise _problems(path, error.line, dotted(error.path), error.message) from None
    except FileNotFoundError:
        mend = f"; write one with `{written_by}`" if written_by else ""
        raise _problems(path, 0, "", f"there is no such file{mend}") from None
    problems = [
        Problem(str(path), repeat.line, dotted(repeat.path), repeat.message)
        for repeat in source.repeated
    ]

    def report(where: Where, message: str) -> None:
        problems.append(Problem(str(path), source.line(where), dotted(where), message))

    try:
        settings = kind.model_validate(source.data, context=WRITTEN)
    except ValidationError as invalid:
        for detail in invalid.errors(include_url=False):
            report(*plain(detail, kind, source.text))
        raise ScenarioProblems(problems) from None
    if problems:
        raise ScenarioProblems(problems)
    return settings


def _problems(path: Path, line: int, field: str, message: str) -> ScenarioProblems:
    return ScenarioProblems([Problem(str(path), line, field, message)])
