"""A YAML file as plain data, with the line that each part of it stands on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from scenarios.plain_text import quoted
from scenarios.text_file import Unreadable, read_text
from scenarios.yaml_values import MERGE, TEXT, Values, Where, YamlError, merged_nodes

__all__ = ["Where", "YamlError", "YamlSource"]

_MENDS = {
    "cannot start any token": "indent with spaces, and put text that begins with a sign in quotes",
    "mapping values are not allowed here": "check the indentation; put text with ': ' in quotes",
    "expected a single document": "keep one scenario a file, without '---' between",
}


class YamlSource:
    """A parsed YAML document.

    `data`: its content, with every mapping key as the text that was written. `repeated`: keys given
    twice in one mapping. Raises YamlError on text that is not one YAML mapping.
    """

    def __init__(self, text: str) -> None:
        try:
            root = yaml.SafeLoader(text).get_single_node()
            if not isinstance(root, yaml.MappingNode):
                found = "there is nothing" if root is None else "there are no fields"
                raise YamlError(1, f"{found} in it; write fields such as duration: 60s")
            values = Values()
            self.data: dict[str, Any] = values.of(root)
            self.repeated = values.repeated
            self._root: yaml.Node = root
            self._fields: dict[int, dict[str, tuple[yaml.Node, yaml.Node]]] = {}
        except yaml.MarkedYAMLError as error:
            raise _syntax(error) from None
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, int(error.position)) + 1
            raise YamlError(line, "there is an unprintable character; delete it") from None
        except RecursionError:
            raise YamlError(1, "it is nested too deeply; a scenario has a few levels") from None
        except (ValueError, OverflowError):  # PyYAML's, of an escape that stands for nothing
            raise YamlError(1, "not valid YAML: it has an escape of no character") from None

    @classmethod
    def of(cls, path: Path) -> YamlSource:
        """The document in a file. Raises YamlError, and FileNotFoundError without one."""
        try:
            return cls(read_text(path))
        except Unreadable as error:
            raise YamlError(error.line, error.message) from None

    def line(self, path: Where) -> int:
        """The line of the part at `path`, or of the innermost part around it that exists."""
        return self._find(path)[1]

    def text(self, path: Where) -> str | None:
        """The scalar at `path` as it was written, text in quotes; None for anything else."""
        node, _, found = self._find(path)
        if not found or not isinstance(node, yaml.ScalarNode):
            return None
        if node.tag == TEXT:
            return quoted(node.value)
        return quoted(node.value)[1:-1] or "nothing"

    def _find(self, path: Where) -> tuple[yaml.Node, int, bool]:
        node = self._root
        line = node.start_mark.line + 1
        for element in path:
            if isinstance(node, yaml.MappingNode):
                pair = self._pairs(node).get(str(element))
                if pair is None:
                    return node, line, False
                line, node = pair[0].start_mark.line + 1, pair[1]
            elif isinstance(node, yaml.SequenceNode) and element in range(len(node.value)):
                node = node.value[int(element)]
                line = node.start_mark.line + 1
            else:
                return node, line, False
        return node, line, True

    def _pairs(self, node: yaml.MappingNode) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """The fields of a mapping; the last of a repeated one is the one that counts."""
        if id(node) not in self._fields:
            found: dict[str, tuple[yaml.Node, yaml.Node]] = {}
            for pair in node.value:
                if pair[0].tag == MERGE:
                    for part in reversed(merged_nodes(pair[1])):
                        found.update(
                            self._pairs(part) if isinstance(part, yaml.MappingNode) else {}
                        )
            found |= {pair[0].value: pair for pair in node.value if pair[0].tag != MERGE}
            self._fields[id(node)] = found
        return self._fields[id(node)]


def _syntax(error: yaml.MarkedYAMLError) -> YamlError:
    mark = error.problem_mark or error.context_mark
    what = " ".join((error.problem or error.context or "it cannot be read").split())
    reasons = f"{error.context} {error.problem}"
    mends = [mend for sign, mend in _MENDS.items() if sign in reasons]
    mend = mends[0] if mends else "check brackets, quotes and indentation above"
    return YamlError(mark.line + 1 if mark else 1, f"not valid YAML: {what}; {mend}")
