"""The one way to print: what is printed is text, whatever it holds.

Scenario names, titles, paths and error messages are others' text. Brackets in it are no markup,
controls are shown as `\\x1b`, and a line printed is one line.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from contextlib import suppress
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from bindrill.errors import EXIT_BAD_INPUT, EXIT_UNREAD
from scenarios.printed_text import printed_text
from scenarios.whole_file import named_in_errors


class _PlainConsole(Console):
    """Every string, in tables too, is text alone."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(printed_text(text), **options)

    def print(self, *objects: Any, **options: Any) -> None:
        with named_in_errors("standard output"):
            super().print(*objects, **options)

    def on_broken_pipe(self) -> None:
        """The command line ends it as it does for all that is printed."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def plain_console(*, stderr: bool = False, width: int | None = None) -> Console:
    """A console for standard output, or standard error; lines are as long as they are."""
    return _PlainConsole(
        stderr=stderr, width=width, markup=False, emoji=False, highlight=False, soft_wrap=True
    )


def complain(message: object) -> None:
    """One line on standard error, named as ours; what cannot be written there is lost."""
    with suppress(OSError):
        plain_console(stderr=True).print(f"bindrill: {message}")


def flush_output() -> int | None:
    """Write what standard output still holds; the exit code if that cannot be done, for what was
    printed is then not to be had."""
    try:
        sys.stdout.flush()
    except OSError as error:
        with suppress(OSError, ValueError):  # what it holds is let go, or would be tried again
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return EXIT_UNREAD
        complain(f"standard output: {error.strerror}")
        return EXIT_BAD_INPUT
    return None


def print_cells(*cells: str) -> None:
    """Print one line for programs to read: cells apart by tabs."""
    _print_line("\t".join(map(printed_text, cells)))


def print_json(value: Any) -> None:
    """Print `value` as one line of JSON, with what cannot be seen, or not be written to standard
    output, in the form `\\u202e`."""
    _print_line(_escaped(msgspec.json.encode(value, enc_hook=_of_path).decode()))


def print_json_text(text: str) -> None:
    """Print JSON of several lines in the same way."""
    for line in text.splitlines():
        _print_line(_escaped(line))


def _print_line(line: str) -> None:
    with named_in_errors("standard output"):
        print(line)


def _of_path(path: Any) -> str:
    return printed_text(str(path))  # JSON has no way to write bytes that are no text


def _escaped(text: str) -> str:
    encoding = sys.stdout.encoding or "utf-8"
    shown = text.encode(encoding, "replace").decode(encoding)
    if text.isprintable() and shown == text:
        return text
    return "".join(
        character
        if character == seen and printed_text(character) == character
        else json.dumps(character)[1:-1]
        for character, seen in zip(text, shown, strict=True)
    )
