"""Variants: one scenario under several policies, on common random numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from scenarios.checks import Finding, check
from scenarios.patch import BadPath, lay_over
from scenarios.plain_errors import dotted, plain
from scenarios.problems import Problem, ScenarioProblems
from scenarios.schema import Scenario
from scenarios.units import WRITTEN
from scenarios.yaml_source import Where

Written = Callable[[Where], str | None]
"""The text of a scalar at a place in the changes, as it was written."""


def variant(scenario: Scenario, name: str) -> Scenario:
    """The scenario with the changes of its variant `name`, and without variants of its own.

    Seed and name stay, so that the same customers arrive at the same times in all variants. Raises
    ScenarioProblems when there is no such variant, or its changes do not fit.
    """
    for each in scenario.variants:
        if each.name == name:
            return changed(scenario, each.changes, lambda where: f"{name}: {dotted(where)}")
    known = [each.name for each in scenario.variants]
    if not known:
        message = f"{scenario.name} has no variants; leave the option out"
    else:
        near = get_close_matches(name, known, n=1)
        mend = f"did you mean {near[0]}?" if near else f"write one of {', '.join(known)}"
        message = f"there is no variant {name!r}; {mend}"
    raise ScenarioProblems([Problem("", 0, "--variant", message)])


def changed(
    scenario: Scenario, changes: Mapping[str, Any], named: Callable[[Where], str] = dotted
) -> Scenario:
    """The scenario with `changes` (see `scenarios.patch`), without its variants.

    Values are as people write them: `5s`, `10/s`. Raises ScenarioProblems, in which `named` says
    how a place in the changes is called.
    """
    patched, findings = _apply(scenario, changes, lambda where: None)
    if patched is None or findings:
        raise ScenarioProblems([Problem("", 0, named(at), message) for at, message in findings])
    return patched


def variant_findings(scenario: Scenario, written: Written) -> Iterator[Finding]:
    """What is wrong with the changes of a sound scenario's variants; `written` gives the text of a
    scalar at a place in the scenario."""
    for position, each in enumerate(scenario.variants):
        above: Where = ("variants", position, "changes")

        def text(where: Where, above: Where = above) -> str | None:
            return written((*above, *where))

        _, findings = _apply(scenario, each.changes, text)
        for where, message in findings:
            yield (*above, *where), message


def _apply(
    scenario: Scenario, changes: Mapping[str, Any], written: Written
) -> tuple[Scenario | None, list[Finding]]:
    """The changed scenario, if it is one, and what is wrong by place in the changes."""
    base = scenario.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"variants"})
    try:
        patched = lay_over(base, changes)
    except BadPath as bad:
        return None, [(bad.where, bad.message)]

    def blamed(where: Where, message: str) -> Finding:
        source, unsaid = patched.source(where)
        return source, f"{dotted(unsaid)}: {message}" if unsaid else message

    try:
        result = Scenario.model_validate(patched.data, context=WRITTEN)
    except ValidationError as invalid:

        def text(where: Where) -> str | None:
            return written(patched.source(where)[0])

        details = invalid.errors(include_url=False)
        return None, [blamed(*plain(detail, Scenario, text)) for detail in details]
    return result, [blamed(*finding) for finding in check(result)]
