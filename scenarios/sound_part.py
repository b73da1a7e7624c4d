"""What is left of a scenario without its broken fields, so that the checks can see the rest."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, get_args

import msgspec
from pydantic import ValidationError

from scenarios.faults import FAULT_KINDS, parse_fault
from scenarios.faults.base import Target
from scenarios.schema import Scenario
from scenarios.units import WRITTEN
from scenarios.yaml_source import Where

_HARMLESS: dict[str, Any] = {
    "name": "unnamed",
    "duration": "3650d",
    "arrivals": {"kind": "constant", "rate": "1/h"},
}
"""What takes the place of a broken field that has no default: nothing that a check minds."""

_DROPPED = {**dict.fromkeys(_HARMLESS, 1), "population": 2}
"""How deep a broken field goes at most: a table of weights is nothing without one of them."""


class Kept(msgspec.Struct, frozen=True):
    """The positions that the remaining items of a list had in the file, by the list's field."""

    positions: dict[str, list[int]] = {}

    def original(self, where: Where) -> Where:
        """The place in the file of a place in what is left."""
        if len(where) > 1 and where[0] in self.positions:
            return (where[0], self.positions[str(where[0])][int(where[1])], *where[2:])
        return where


def sound_part(data: dict[str, Any], broken: list[Where]) -> tuple[Scenario | None, Kept]:
    """A scenario of what is sound in `data`; None when too little is.

    Broken fields fall back to their defaults, broken objectives go, and of a broken fault its
    target, label and start remain.
    """
    left = {key: value for key, value in deepcopy(data).items() if key in Scenario.model_fields}
    kept: dict[str, list[int]] = {}
    for field, salvage in (("faults", _salvaged_fault), ("objectives", _no_objective)):
        if isinstance(left.get(field), list):
            bad = [where for where in broken if where[0] == field]
            kept[field], left[field] = _salvaged(left[field], bad, salvage)
    for where in broken:
        if where[0] not in kept:
            _drop(left, where[: _DROPPED.get(str(where[0]), len(where))])
    scenario = _valid(left)
    if scenario is None:  # some field was needed by its neighbours
        for where in broken:
            if where[0] not in kept:
                left.pop(str(where[0]), None)
        scenario = _valid(left)
    return scenario, Kept(kept)


def _valid(left: dict[str, Any]) -> Scenario | None:
    try:
        return Scenario.model_validate({**_HARMLESS, **left}, context=WRITTEN)
    except ValidationError:
        return None


def _drop(tree: dict[str, Any], where: Where) -> None:
    *above, last = map(str, where)
    for key in above:
        inner = tree.get(key)
        if not isinstance(inner, dict):
            tree.pop(key, None)
            return
        tree = inner
    tree.pop(last, None)


def _salvaged(
    items: list[Any], bad: list[Where], salvage: Callable[[Any, int, set[str | int]], Any]
) -> tuple[list[int], list[Any]]:
    positions, left = [], []
    by_position: dict[str | int, list[Where]] = {}
    for where in bad:
        by_position.setdefault(where[1] if len(where) > 1 else "", []).append(where)
    for position, item in enumerate(items):
        wrong = by_position.get(position, [])
        fields = {where[2] for where in wrong if len(where) > 2}
        sound = salvage(item, position, fields) if wrong else item
        if sound is not None:
            positions.append(position)
            left.append(sound)
    return positions, left


def _no_objective(item: Any, position: int, wrong: set[str | int]) -> None:
    return None


def _salvaged_fault(fault: Any, position: int, wrong: set[str | int]) -> dict[str, Any] | None:
    if not isinstance(fault, dict) or fault.get("target") not in get_args(Target):
        return None
    name, kind = fault.get("name"), fault.get("kind")
    if not name and isinstance(kind, str) and kind in FAULT_KINDS:
        name = f"{kind}-{fault['target']}"
    name = name or f"fault-{position + 1}"
    remains = {"kind": "latency", "delay": 0, "target": fault["target"], "name": name}
    if "start" in fault and "start" not in wrong:
        remains["start"] = fault["start"]
    try:
        parse_fault(remains)
    except ValidationError:
        return None
    return remains
