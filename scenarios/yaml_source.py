"""A YAML file as plain data, with the line that each part of it stands on."""

from __future__ import annotations

from typing import Any

import yaml

Where = tuple[str | int, ...]
"""Where something is: mapping keys and list positions from the top."""

_KEY_TAG = "tag:yaml.org,2002:str"
_MERGE_TAG = "tag:yaml.org,2002:merge"
_MENDS = {
    "cannot start any token": "indent with spaces, and put text that begins with a sign in quotes",
    "mapping values are not allowed here": "check the indentation; put text with ': ' in quotes",
    "expected a single document": "keep one scenario a file, without '---' between",
}


class YamlError(Exception):
    """The text is not usable YAML: the line (from 1), where in it, and what to do."""

    def __init__(self, line: int, message: str, path: Where = ()) -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.path = path


class YamlSource:
    """A parsed YAML document.

    `data`: its content, with every mapping key as the text that was written. `repeated`: keys given
    twice in one mapping. Raises YamlError on text that is not one YAML mapping.
    """

    def __init__(self, text: str) -> None:
        try:
            loader = yaml.SafeLoader(text)
            root = loader.get_single_node()
            if not isinstance(root, yaml.MappingNode):
                found = "there is nothing" if root is None else "there are no fields"
                raise YamlError(1, f"{found} in it; write fields such as duration: 60s")
            self.repeated: list[YamlError] = []
            self._read_keys(root, (), set())
            self._root: yaml.Node = root
            self.data: dict[str, Any] = loader.construct_document(root)
        except yaml.MarkedYAMLError as error:
            raise _syntax(error) from None
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, int(error.position)) + 1
            raise YamlError(line, "there is an unprintable character; delete it") from None
        except RecursionError:
            raise YamlError(1, "it is nested too deeply; a scenario has a few levels") from None

    def line(self, path: Where) -> int:
        """The line of the part at `path`, or of the innermost part around it that exists."""
        return self._find(path)[1]

    def text(self, path: Where) -> str | None:
        """The scalar at `path` as it was written, text in quotes; None for anything else."""
        node, _, found = self._find(path)
        if not found or not isinstance(node, yaml.ScalarNode):
            return None
        return repr(node.value) if node.tag == _KEY_TAG else str(node.value) or "nothing"

    def _find(self, path: Where) -> tuple[yaml.Node, int, bool]:
        node = self._root
        line = node.start_mark.line + 1
        for element in path:
            if isinstance(node, yaml.MappingNode):
                # The last of a repeated key is the one that counts.
                pair = next((p for p in reversed(node.value) if p[0].value == element), None)
                if pair is None:
                    return node, line, False
                line, node = pair[0].start_mark.line + 1, pair[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(element, int):
                node = node.value[element]
                line = node.start_mark.line + 1
            else:
                return node, line, False
        return node, line, True

    def _read_keys(self, node: yaml.Node, path: Where, seen: set[int]) -> None:
        """Take every key as text, so that 57 and on are names like any other; note repeats."""
        if id(node) in seen:  # an alias
            return
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            for position, item in enumerate(node.value):
                self._read_keys(item, (*path, position), seen)
        elif isinstance(node, yaml.MappingNode):
            first: dict[str, int] = {}
            for key, value in node.value:
                line = key.start_mark.line + 1
                if not isinstance(key, yaml.ScalarNode):
                    raise YamlError(line, "a field's name must be plain text", path)
                if key.tag == _MERGE_TAG:
                    self._read_keys(value, path, seen)
                    continue
                key.tag = _KEY_TAG
                here = (*path, key.value)
                if key.value in first:
                    lines = f"{first[key.value]} and {line}"
                    message = f"is given twice, on lines {lines}; keep one"
                    self.repeated.append(YamlError(line, message, here))
                first.setdefault(key.value, line)
                self._read_keys(value, here, seen)


def _syntax(error: yaml.MarkedYAMLError) -> YamlError:
    mark = error.problem_mark or error.context_mark
    what = " ".join((error.problem or error.context or "it cannot be read").split())
    reasons = f"{error.context} {error.problem}"
    mends = [mend for sign, mend in _MENDS.items() if sign in reasons]
    mend = mends[0] if mends else "check brackets, quotes and indentation above"
    return YamlError(mark.line + 1 if mark else 1, f"not valid YAML: {what}; {mend}")
