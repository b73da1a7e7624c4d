"""The nodes of a YAML document as plain data: what people mean by them, and bounded.

PyYAML reads YAML 1.1, in which 20:00 is 1200, 012 is ten and 2026-01-31 is no text. Here a scalar
is a number only where all readers agree on which; `OddNumber` keeps the others as they are written.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from scenarios.plain_text import flaw, quoted
from scenarios.units import OddNumber

MOST_NODES = 500_000
"""Values in a file, with those that aliases repeat."""
LONGEST_NUMBER = 40

_TAG = "tag:yaml.org,2002:"
TEXT, MERGE = f"{_TAG}str", f"{_TAG}merge"
_INT, _FLOAT, _BOOL, _NULL = (f"{_TAG}{name}" for name in ("int", "float", "bool", "null"))
_AS_TEXT = frozenset((TEXT, f"{_TAG}timestamp", f"{_TAG}value"))
_WHOLE = re.compile(r"[+-]?(?:0|[1-9][0-9_]*)|0x[0-9a-fA-F_]+|0b[01_]+")
_POINT = re.compile(r"[+-]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)(?:[eE][+-]?[0-9]{1,3})?")
_EXPONENT = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?[eE][+-]?[0-9]{1,3}")
_SWITCHES = {"yes": True, "no": False, "true": True, "false": False, "on": True, "off": False}

Where = tuple[str | int, ...]
"""Where something is: mapping keys and list positions from the top."""


class YamlError(Exception):
    """The text is not usable YAML: the line (from 1), where in it, and what to do."""

    def __init__(self, line: int, message: str, path: Where = ()) -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.path = path


class Values:
    """Makes data of nodes. `repeated`: keys given twice in one mapping.

    A value that an alias repeats is made once and shared.
    """

    def __init__(self) -> None:
        self.repeated: list[YamlError] = []
        self._made: dict[int, tuple[Any, int]] = {}
        self._open: set[int] = set()

    def of(self, root: yaml.Node) -> Any:
        """The document below `root`, every mapping key as the text that was written, so that 57 and
        on are names like any other. Raises YamlError, and RecursionError when it is too deep."""
        return self._value(root, ())[0]

    def _value(self, node: yaml.Node, path: Where) -> tuple[Any, int]:
        """The data, and how many values it is, aliases written out."""
        known = self._made.get(id(node))
        if known is not None:
            return known
        line = node.start_mark.line + 1
        if id(node) in self._open:
            raise YamlError(line, "the alias stands for a part that it is in; write it out", path)
        self._open.add(id(node))
        if isinstance(node, yaml.MappingNode):
            made = self._mapping(node, path)
        elif isinstance(node, yaml.SequenceNode):
            made = self._sequence(node, path)
        elif isinstance(node, yaml.ScalarNode):
            made = _scalar(node, path), 1
        else:
            raise _foreign(node)
        self._open.remove(id(node))
        self._bounded(node, made[1], path)
        self._made[id(node)] = made
        return made

    def _sequence(self, node: yaml.SequenceNode, path: Where) -> tuple[Any, int]:
        _expect(node, f"{_TAG}seq")
        items, size = [], 1
        for position, item in enumerate(node.value):
            value, values = self._value(item, (*path, position))
            items.append(value)
            size += values
        return items, size

    def _mapping(self, node: yaml.MappingNode, path: Where) -> tuple[Any, int]:
        _expect(node, f"{_TAG}map")
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        lines: dict[str, int] = {}
        size = 1
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise YamlError(line, "a field's name must be plain text", path)
            if key.tag == MERGE:
                size += self._merge(value, path, merged)
                continue
            key.tag = TEXT
            name = str(_scalar(key, path))
            here = (*path, name)
            if name in lines:
                message = f"is given twice, on lines {lines[name]} and {line}; keep one"
                self.repeated.append(YamlError(line, message, here))
            lines.setdefault(name, line)
            own[name], values = self._value(value, here)
            size += values
        return merged | own, size

    def _merge(self, node: yaml.Node, path: Where, into: dict[str, Any]) -> int:
        """Put what `<<:` stands for below what is there; returns how many values it is."""
        size = 0
        for part in merged_nodes(node):
            if not isinstance(part, yaml.MappingNode):
                line = node.start_mark.line + 1
                raise YamlError(line, "<<: takes a mapping, or a list of them, by its alias", path)
            fields, values = self._value(part, path)
            size = self._bounded(part, size + values, path)
            for name, inner in fields.items():
                into.setdefault(name, inner)
        return size

    def _bounded(self, node: yaml.Node, size: int, path: Where) -> int:
        if size > MOST_NODES:
            message = f"there are more than {MOST_NODES} values in it, with those of aliases"
            raise YamlError(node.start_mark.line + 1, f"{message}; write fewer", path)
        return size


def merged_nodes(node: yaml.Node) -> list[yaml.Node]:
    """What the value of `<<:` names, the first of them the strongest."""
    return list(node.value) if isinstance(node, yaml.SequenceNode) else [node]


def _expect(node: yaml.Node, tag: str) -> None:
    if node.tag != tag:
        raise _foreign(node)


def _foreign(node: yaml.Node) -> YamlError:
    line = node.start_mark.line + 1
    tag = quoted(node.tag.replace(_TAG, "!!"))
    return YamlError(line, f"not valid YAML: {tag} is no tag of a scenario; leave it out")


def _scalar(node: yaml.ScalarNode, path: Where) -> Any:
    text = str(node.value)
    wrong = flaw(text)
    if wrong is not None:
        raise YamlError(node.start_mark.line + 1, f"{quoted(text)} {wrong}", path)
    if node.tag == TEXT and node.style is None and _EXPONENT.fullmatch(text):
        node.tag = _FLOAT  # YAML 1.2: an exponent needs neither point nor sign
    if node.tag in _AS_TEXT:
        return text
    if node.tag == _NULL and text.lower() in ("", "~", "null"):
        return None
    if node.tag == _BOOL and text.lower() in _SWITCHES:
        return _SWITCHES[text.lower()]
    if node.tag in (_INT, _FLOAT):
        return _number(text)
    raise _foreign(node)


def _number(text: str) -> int | float | OddNumber:
    if len(text) > LONGEST_NUMBER:
        return OddNumber(text)
    if _WHOLE.fullmatch(text):
        return int(text.replace("_", ""), 0)
    if _POINT.fullmatch(text):
        return float(text.replace("_", ""))
    return OddNumber(text)
