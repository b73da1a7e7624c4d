"""Changes laid over a scenario: `{lender.bank.attempts: 3}`, or the same as nested mappings.

A mapping is merged into the present one, field by field; any other value, and a mapping of another
`kind`, takes its place. `fault.<label or target>.<field>` (or `faults.`) is a field of one fault;
`faults.0` is the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import msgspec

from scenarios.yaml_source import Where

FIXED = {
    "name": "a variant has a name of its own",
    "seed": "variants are compared on the same random numbers",
    "variants": "a variant has no variants",
}
"""What a patch may not change, and why."""


class BadPath(Exception):
    """A path of a change leads nowhere: `where` in the changes, and what to write instead."""

    def __init__(self, where: Where, message: str) -> None:
        super().__init__(message)
        self.where = where
        self.message = message


class Patched(msgspec.Struct, frozen=True):
    """A scenario's data with changes laid over, and where in the changes each change came from."""

    data: dict[str, Any]
    origins: dict[Where, Where]

    def source(self, where: Where) -> tuple[Where, Where]:
        """The place in the changes that a place in the data came from, and the part of `where` that
        the changes do not spell out; both empty for what no change touched."""
        for cut in range(len(where), -1, -1):
            if where[:cut] in self.origins:
                return (*self.origins[where[:cut]], *where[cut:]), ()
        for changed, source in self.origins.items():
            if changed[: len(where)] == where:
                return source, where
        return (), where


def lay_over(data: Mapping[str, Any], changes: Mapping[str, Any]) -> Patched:
    """`data` (a scenario as it is written) with `changes`. Raises BadPath."""
    patched = Patched(deepcopy(dict(data)), {})
    _merge(patched, patched.data, (), changes, ())
    return patched


def _merge(patched: Patched, node: Any, at: Where, changes: Mapping[str, Any], key: Where) -> None:
    for name, value in changes.items():
        _put(patched, node, at, str(name).split("."), value, (*key, str(name)))


def _put(
    patched: Patched, node: Any, at: Where, keys: Sequence[str], value: Any, source: Where
) -> None:
    step = _step(node, at, keys[0], source)
    here = (*at, step)
    present = node.get(step) if isinstance(node, dict) else node[step]
    if len(keys) > 1:
        if not isinstance(present, dict | list):
            present = node[step] = {}
        _put(patched, present, here, keys[1:], value, source)
    elif isinstance(value, Mapping) and _merges(present, value):
        _merge(patched, present, here, value, source)
    else:
        node[step] = deepcopy(value)
        patched.origins[here] = source


def _merges(present: Any, value: Mapping[str, Any]) -> bool:
    if isinstance(present, list):
        return True
    return isinstance(present, dict) and value.get("kind", present.get("kind")) == present.get(
        "kind"
    )


def _step(node: Any, at: Where, name: str, source: Where) -> str | int:
    if isinstance(node, list):
        return _position(node, at, name, source)
    if not at and name in FIXED:
        raise BadPath(source, f"{name} cannot be changed here: {FIXED[name]}")
    return "faults" if not at and name == "fault" else name


def _position(items: list[Any], at: Where, name: str, source: Where) -> int:
    if name.isascii() and name.isdigit() and len(name) < 10 and int(name) < len(items):
        return int(name)
    labels = [_label(item) for item in items]
    found = [n for n, item in enumerate(items) if name in (labels[n], _target(item))]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(labels[n] for n in found)
        raise BadPath(source, f"several faults strike {name}; write one of {several}")
    if at != ("faults",):
        raise BadPath(source, f"{at[-1]} is a list, in which there is no {name}; write it whole")
    known = ", ".join(dict.fromkeys([*labels, *map(_target, items)]))
    mend = f"write one of {known}" if known else "the scenario has none"
    raise BadPath(source, f"there is no fault {name!r}; {mend}")


def _target(item: Any) -> str:
    return str(item.get("target", "")) if isinstance(item, dict) else ""


def _label(item: Any) -> str:
    if not isinstance(item, dict):
        return ""
    return str(item.get("name") or f"{item.get('kind')}-{item.get('target')}")
